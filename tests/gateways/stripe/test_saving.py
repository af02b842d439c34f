"""Ways to pay that Stripe keeps: saved with and without paying, paid with again, removed, and nobody else's."""

from typing import Any
from uuid import uuid4

import pytest

from backend.payments.gateways.base import ErrorCode, GatewayRefused, Method
from backend.payments.gateways.optional import SavedMethod
from backend.payments.models import Payment
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.gateways.harnesses.stripe import StripeHarness
from tests.gateways.shop import deliver_all, order_for
from tests.gateways.stripe.conftest import Gateway
from tests.gateways.stripe.kit import act, request_of
from tests.schema.payments.test_saved_methods import METHODS, REMOVE, SETUP, START


def customer_of(gateway: Gateway, name: str = "Ada") -> str:
    return gateway().create_customer(key=f"customer:{name}", email=f"{name}@example.com", name=name)


def save(stripe: StripeHarness, gateway: Gateway, customer: str, card: str = "pay") -> str:
    action = gateway().begin_saving(customer, key=str(uuid4()))
    assert (action["type"], action["publishable_key"]) == ("CLIENT_SECRET", "pk_test_double")
    return str(stripe.command("save", client_secret=action["client_secret"], act=card))


def test_a_customer_is_made_once_and_others_are_others(stripe: StripeHarness, gateway: Gateway) -> None:
    assert customer_of(gateway) == customer_of(gateway) != customer_of(gateway, "Bob")
    # The same number in another shop's database, on the same test account:
    other = gateway().create_customer(key="customer:Ada", email="eve@example.com", name="")
    assert other != customer_of(gateway)


def test_a_long_key_of_a_client_is_a_key(stripe: StripeHarness, gateway: Gateway) -> None:
    customer = customer_of(gateway)
    first = gateway().begin_saving(customer, key="k" * 300)
    assert gateway().begin_saving(customer, key="k" * 300) == first
    assert gateway().begin_saving(customer, key="k" * 301) != first


def test_methods_are_listed_for_people_and_forgotten_once(stripe: StripeHarness, gateway: Gateway) -> None:
    mine, other = customer_of(gateway), customer_of(gateway, "Bob")
    card = save(stripe, gateway, mine)
    assert gateway().saved_methods(mine) == [SavedMethod(card, Method.CARD, "Visa •••• 4242", "2034-12")]
    assert gateway().saved_methods(other) == []
    for hostile in ("", "../cus_1", "pm_x?y", "pm_\u00e9", "x" * 256, "pm_nobodys"):
        assert not gateway().forget_method(mine, hostile)
    assert not gateway().forget_method(other, card)
    assert gateway().forget_method(mine, card)
    assert not gateway().forget_method(mine, card)
    assert gateway().saved_methods(mine) == []


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
def test_a_saved_method_is_charged_at_once(stripe: StripeHarness, gateway: Gateway, flow: str) -> None:
    customer = customer_of(gateway)
    request = request_of(customer=customer, saved_method=save(stripe, gateway, customer))
    for _ in range(2):
        started = gateway(flow=flow).start(request)
        assert (started.reference[:3], started.next_action) == ("pi_", None)
    assert stripe.command("sums", payment_id=str(request.payment_id))["taken"] == 1999
    sent = next(each["sent"] for each in stripe.command("seen") if each["path"] == "/v1/payment_intents")
    assert (sent["confirm"], sent["return_url"]) == (True, request.callback_url)


def test_a_saved_method_that_is_declined_or_not_theirs_takes_nothing(stripe: StripeHarness, gateway: Gateway) -> None:
    mine, other = customer_of(gateway), customer_of(gateway, "Bob")
    declined = request_of(customer=mine, saved_method=save(stripe, gateway, mine, "decline"))
    with pytest.raises(GatewayRefused) as refusal:
        gateway().start(declined)
    assert (refusal.value.code, refusal.value.gateway_code) == (ErrorCode.CARD_DECLINED, "generic_decline")
    for stolen in (save(stripe, gateway, mine), "pm_card_visa", "../x", ""):
        if stolen:
            request = request_of(customer=other, saved_method=stolen)
            with pytest.raises(GatewayRefused) as refusal:
                gateway().start(request)
            assert refusal.value.code is ErrorCode.CARD_INVALID


def test_a_bank_wants_to_see_the_buyer(stripe: StripeHarness, gateway: Gateway) -> None:
    customer = customer_of(gateway)
    card = save(stripe, gateway, customer, "authenticate")
    started = gateway().start(request_of(customer=customer, saved_method=card))
    assert (started.next_action or {})["type"] == "CLIENT_SECRET"


@pytest.mark.parametrize("flow", ["CLIENT_SECRET", "REDIRECT"])
def test_a_method_is_saved_while_paying(stripe: StripeHarness, gateway: Gateway, flow: str) -> None:
    customer = customer_of(gateway)
    for saving in (False, True):
        request = request_of(customer=customer, save_method=saving)
        gateway(flow=flow).start(request)
        act(stripe, request)
        assert len(gateway().saved_methods(customer)) == saving


@pytest.mark.django_db
def test_a_customer_saves_pays_again_and_removes_through_the_api(shop: StripeHarness, gql: Gql) -> None:
    mine, other = gql.signed_in(make_user()), gql.signed_in(make_user())
    asked = {"gateway": "stripe", "idempotencyKey": "k"}
    action = mine(SETUP, input=asked)["paymentMethodSetup"]["nextAction"]
    shop.command("save", client_secret=action["clientSecret"])
    [kept] = mine(METHODS)["paymentMethods"]
    assert (kept["gateway"], kept["kind"], kept["label"]) == ("stripe", "CARD", "Visa •••• 4242")
    other(SETUP, input=asked)
    stolen = start(other, shop, savedMethodId=kept["id"])
    assert stolen["paymentStart"]["userErrors"][0]["code"] == "PAYMENT_DECLINED"
    assert Payment.objects.get().state == "FAILED"
    told = start(mine, shop, savedMethodId=kept["id"])["paymentStart"]
    assert told["payment"]["status"] == "PROCESSING"
    payment = Payment.objects.get(state="PROCESSING")
    deliver_all(shop, payment)
    payment.refresh_from_db()
    assert (payment.state, payment.order.status) == ("SUCCEEDED", "PAID")
    sent = {"gateway": "stripe", "id": kept["id"]}
    assert other(REMOVE, input=sent)["paymentMethodRemove"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert mine(REMOVE, input=sent)["paymentMethodRemove"]["removedId"] == kept["id"]
    assert mine(METHODS)["paymentMethods"] == []


def start(door: Gql, shop: StripeHarness, **sent: Any) -> Any:
    order = order_for(shop)
    return door(
        START,
        input={
            "orderId": encode("Order", order.pk),
            "orderToken": order.token,
            "gateway": "stripe",
            "returnUrl": "https://shop.example/thanks",
            "idempotencyKey": str(uuid4()),
            **sent,
        },
    )
