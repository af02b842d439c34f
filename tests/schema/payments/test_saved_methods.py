"""Ways to pay that a gateway keeps: saved, listed, paid with again and removed, each by its owner alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.payments.gateways.base import GatewayUnavailable, Method, Started, StartRequest
from backend.payments.gateways.optional import SavedMethod
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import GatewayCustomer, Payment
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db

SETUP = """mutation ($input: PaymentMethodSetupInput!) {
  paymentMethodSetup(input: $input) {
    nextAction { ... on ClientSecretAction { clientSecret publishableKey } } userErrors { code field }
  }
}"""
METHODS = "{ paymentMethods { id gateway kind label expires } }"
REMOVE = """mutation ($input: PaymentMethodRemoveInput!) {
  paymentMethodRemove(input: $input) { removedId userErrors { code field } }
}"""
START = """mutation ($input: PaymentStartInput!) {
  paymentStart(input: $input) { payment { id status nextAction { __typename } } userErrors { code field } }
}"""


class Keeping:
    """A gateway that keeps one card for each customer."""

    def __init__(self) -> None:
        self.customers: dict[str, str] = {}
        self.cards: dict[str, list[SavedMethod]] = {}
        self.started: list[StartRequest] = []
        self.deaf = False

    def create_customer(self, *, key: str, email: str, name: str) -> str:
        if self.deaf:
            raise GatewayUnavailable("deaf")
        customer = self.customers.setdefault(key, f"cus_{len(self.customers) + 1}")
        self.cards.setdefault(customer, [SavedMethod(f"pm_{customer}", Method.CARD, "Visa •••• 4242", "2030-01")])
        return customer

    def begin_saving(self, customer: str, *, key: str) -> Mapping[str, str]:
        return {"type": "CLIENT_SECRET", "client_secret": f"seti_{customer}", "publishable_key": "pk"}

    def saved_methods(self, customer: str) -> list[SavedMethod]:
        if self.deaf:
            raise GatewayUnavailable("deaf")
        return self.cards[customer]

    def forget_method(self, customer: str, method_id: str) -> bool:
        left = [card for card in self.cards[customer] if card.id != method_id]
        gone = len(left) < len(self.cards[customer])
        self.cards[customer] = left
        return gone

    def start(self, request: StartRequest) -> Started:
        self.started.append(request)
        return Started(reference=f"ch_{len(self.started)}", next_action=None)


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Keeping:
    gateway = Keeping()
    monkeypatch.setattr(SandboxGateway, "capabilities", replace(SandboxGateway.capabilities, saved_methods=True))
    for name in ("create_customer", "begin_saving", "saved_methods", "forget_method"):
        monkeypatch.setattr(SandboxGateway, name, staticmethod(getattr(gateway, name)), raising=False)
    monkeypatch.setattr(SandboxGateway, "start", lambda self, request: gateway.start(request))
    return gateway


def setup(door: Gql, **sent: Any) -> Any:
    return door(SETUP, input={"gateway": "sandbox", "idempotencyKey": "k", **sent})


def start(door: Gql, **sent: Any) -> Any:
    order = make_order()
    return door(
        START,
        input={
            "orderId": encode("Order", order.pk),
            "orderToken": order.token,
            "gateway": "sandbox",
            "returnUrl": "https://shop.example/thanks",
            "idempotencyKey": str(uuid4()),
            **sent,
        },
    )


def test_a_customer_saves_lists_pays_again_and_removes(gql: Gql, keeping: Keeping) -> None:
    mine = gql.signed_in(make_user())
    for _ in range(2):
        action = setup(mine)["paymentMethodSetup"]["nextAction"]
        assert action == {"clientSecret": "seti_cus_1", "publishableKey": "pk"}
    assert GatewayCustomer.objects.count() == 1
    [kept] = mine(METHODS)["paymentMethods"]
    assert kept == {
        "id": "pm_cus_1",
        "gateway": "sandbox",
        "kind": "CARD",
        "label": "Visa •••• 4242",
        "expires": "2030-01",
    }
    payment = start(mine, savedMethodId=kept["id"])["paymentStart"]["payment"]
    assert (payment["status"], payment["nextAction"]) == ("PROCESSING", None)
    [sent] = keeping.started
    assert (sent.customer, sent.saved_method) == ("cus_1", "pm_cus_1")
    remove = {"gateway": "sandbox", "id": kept["id"]}
    assert mine(REMOVE, input=remove)["paymentMethodRemove"]["removedId"] == kept["id"]
    assert mine(METHODS)["paymentMethods"] == []
    [error] = mine(REMOVE, input=remove)["paymentMethodRemove"]["userErrors"]
    assert error["code"] == "NOT_FOUND"


def test_nobody_sees_or_removes_what_is_anothers(gql: Gql, keeping: Keeping) -> None:
    setup(gql.signed_in(make_user()))
    other = gql.signed_in(make_user())
    assert other(METHODS)["paymentMethods"] == []
    sent = {"gateway": "sandbox", "id": "pm_cus_1"}
    for _ in range(2):
        [error] = other(REMOVE, input=sent)["paymentMethodRemove"]["userErrors"]
        assert error["code"] == "NOT_FOUND"
        setup(other)
    assert keeping.cards["cus_1"]


def test_guests_save_nothing(gql: Gql, keeping: Keeping) -> None:
    assert setup(gql).codes == ["UNAUTHENTICATED"]
    assert gql(METHODS).codes == ["UNAUTHENTICATED"]
    assert gql(REMOVE, input={"gateway": "sandbox", "id": "x"}).codes == ["UNAUTHENTICATED"]
    for sent in ({"savedMethodId": "pm_cus_1"}, {"saveMethod": True}):
        [error] = start(gql, **sent)["paymentStart"]["userErrors"]
        assert error["code"] == "FORBIDDEN"
    assert not Payment.objects.exists()


def test_a_gateway_that_keeps_nothing_says_so(gql: Gql) -> None:
    mine = gql.signed_in(make_user())
    [error] = setup(mine)["paymentMethodSetup"]["userErrors"]
    assert error == {"code": "GATEWAY_UNAVAILABLE", "field": ["input", "gateway"]}
    [error] = start(mine, saveMethod=True)["paymentStart"]["userErrors"]
    assert error["code"] == "GATEWAY_UNAVAILABLE"
    assert not Payment.objects.exists()


def test_a_silent_gateway_is_left_out_of_the_list(gql: Gql, keeping: Keeping) -> None:
    mine = gql.signed_in(make_user())
    keeping.deaf = True
    [error] = setup(mine)["paymentMethodSetup"]["userErrors"]
    assert error["code"] == "GATEWAY_UNAVAILABLE"
    keeping.deaf = False
    setup(mine)
    keeping.deaf = True
    assert mine(METHODS)["paymentMethods"] == []


@pytest.mark.parametrize("hostile", ["", "\x00", "x" * 5000, "../../x", "pm_'; --"])
def test_hostile_ids_are_nobodys(gql: Gql, keeping: Keeping, hostile: str) -> None:
    mine = gql.signed_in(make_user())
    setup(mine)
    answer = mine(REMOVE, input={"gateway": "sandbox", "id": hostile})
    assert answer["paymentMethodRemove"]["userErrors"][0]["code"] == "NOT_FOUND"
    answer = mine(REMOVE, input={"gateway": hostile, "id": "pm_cus_1"})
    assert answer["paymentMethodRemove"]["userErrors"][0]["code"] in ("NOT_FOUND", "GATEWAY_UNAVAILABLE")
    if hostile:
        answer = start(mine, savedMethodId=hostile)
        assert "INTERNAL" not in answer.codes
