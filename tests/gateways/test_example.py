"""The example of docs/payments.md, "Adding a gateway": what stands there works as it stands."""

import hmac
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from backend.core.caller import GUEST
from backend.environment import Env
from backend.payments.gateways import amounts, base, http, variables
from backend.payments.gateways.accounts import Account, account, read_accounts
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import Payment
from backend.payments.services.verifying import verify_payment
from tests.conftest import Gql
from tests.gateways.harness import Harness, Sent
from tests.gateways.shop import begin, deliver, order_for, refunds_of, sweep_refunds, work
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import decide_refund

DOCUMENT = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")
CHAPTER = DOCUMENT.partition("\n## Adding a gateway\n")[2].partition("\n## ")[0]
KEY, SECRET = "acme-key", "acme-webhook-secret"


def module() -> ModuleType:
    [code] = re.findall(r"```python\n(.*?)```", CHAPTER, re.DOTALL)
    found = ModuleType("backend.payments.gateways.acme")
    names = {"hmac": hmac, "orjson": orjson, "Mapping": Mapping, "Any": Any, "GatewayHttp": http.GatewayHttp}
    names |= {name: getattr(base, name) for name in base.__all__}
    found.__dict__.update(names, to_major=amounts.to_major, to_minor=amounts.to_minor)
    exec(compile(code, "docs/payments.md", "exec"), found.__dict__)
    return found


class Acme(ThreadingHTTPServer):
    """Acme's side: payments and refunds by key."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.payments: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, dict[str, Any]] = {}
        self.lose = 0
        """So many answers are lost, though it has acted."""
        self.code = ""

    def answer(self, path: str, key: str, sent: dict[str, Any]) -> dict[str, Any]:
        if key in self.by_key:
            return self.by_key[key]
        made = {
            **sent,
            "id": f"acme-{len(self.by_key)}",
            "merchant": "shop-1",
            "state": "open",
            "page": "https://acme/1",
        }
        self.by_key[key] = made
        if path == "/payments":
            self.payments[made["id"]] = made
        return made


class Handler(BaseHTTPRequestHandler):
    server: Acme

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == f"Bearer {KEY}"
        if self.server.code:
            self.tell(422, {"code": self.server.code})
            return
        told = self.server.answer(self.path, self.headers["Idempotency-Key"], sent)
        if self.server.lose:
            self.server.lose -= 1
            self.tell(500, {})
            return
        self.tell(201, told)

    def do_GET(self) -> None:
        found = self.server.payments.get(self.path.removeprefix("/payments/"))
        self.tell(200 if found else 404, found or {})

    def tell(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing of it is worth a line."""


HARNESS = cast(
    Harness,
    SimpleNamespace(
        gateway="acme",
        currency="EUR",
        total=1000,
        country="DE",
        taken=lambda payment: 1000,
        given_back=lambda payment: 0,
        finish_refunds=lambda: None,
    ),
)


@pytest.fixture
def acme(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acme]:
    monkeypatch.setitem(sys.modules, "backend.payments.gateways.acme", module())
    with Acme() as server:
        Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        given = {"merchant_id": "shop-1", "secret_key": KEY, "webhook_secret": SECRET, "timeout_s": "5"}
        settings.GATEWAYS = {"acme": [account("acme", **given, api_url=url)]}
        yield server
        server.shutdown()


def end(acme: Acme, payment: Payment, state: str, *, secret: str = SECRET, **told: str) -> int:
    """The buyer is done on Acme's page, and Acme tells of it."""
    acme.payments[payment.reference].update(state=state, **told)
    body = json.dumps({"event": f"e-{state}", "our_id": str(payment.pk)}).encode()
    signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
    status = deliver(HARNESS, Sent(body=body, headers={"Acme-Signature": signature}))
    work()
    return status


pytestmark = pytest.mark.django_db


def test_it_has_what_is_asked_of_a_gateway() -> None:
    gateway = module().GATEWAY
    asked = {name for name, each in vars(base.PaymentGateway).items() if inspect.isfunction(each) and name[0] != "_"}
    assert len(asked) >= 9
    for name in asked:
        assert inspect.signature(getattr(gateway, name)) == inspect.signature(getattr(base.PaymentGateway, name))
    [code] = re.findall(r"```python\n(.*?)```", CHAPTER, re.DOTALL)
    assert len(list(filter(str.strip, code.splitlines()))) <= 70  # else it is no example any more


def test_its_variables_are_what_it_reads() -> None:
    [code] = re.findall(r'"acme": (Variables\(.*?\n       \))', CHAPTER, re.DOTALL)
    has = eval(code, vars(variables))
    env = Env(Path("/nonexistent"))
    env.ENVIRON = dict.fromkeys(has.required, "x")
    [found] = read_accounts(env, "ACME", required=has.required, optional=has.optional, shapes=has.shapes)
    assert isinstance(found, Account)
    assert module().GATEWAY(found).merchant_account == "x"


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("currency", "offered"), [("EUR", [{"id": "acme", "name": "Acme"}]), ("USD", [])])
def test_storefronts_are_offered_it_for_what_it_takes(gql: Gql, currency: str, offered: list[dict[str, str]]) -> None:
    query = "query ($currency: CurrencyCode) { shop { paymentGateways(currency: $currency) { id name } } }"
    assert gql(query, currency=currency)["shop"]["paymentGateways"] == offered


def test_a_buyer_pays_and_gets_the_money_back_once_though_an_answer_is_lost(acme: Acme) -> None:
    acme.lose = 1
    payment = begin(order_for(HARNESS), "acme")
    assert payment.next_action == {"type": "REDIRECT", "url": "https://acme/1"}
    assert end(acme, payment, "paid") == 200
    assert_paid_once(HARNESS, payment)
    acme.lose = 3
    decide_refund(payment, 400)
    work()
    sweep_refunds(HARNESS)
    assert refunds_of(payment) == [(400, "SUCCEEDED")]
    assert len(acme.by_key) == 2


def test_who_is_declined_hears_why_and_forged_messages_change_nothing(acme: Acme) -> None:
    payment = begin(order_for(HARNESS), "acme")
    assert end(acme, payment, "paid", secret="somebody else's") == 400
    assert_unpaid(payment, "REQUIRES_ACTION")
    end(acme, payment, "declined", code="no_funds")
    payment.refresh_from_db()
    assert (payment.state, payment.error_code, payment.gateway_code) == ("FAILED", "INSUFFICIENT_FUNDS", "no_funds")


def test_what_acme_refuses_is_a_payment_that_failed_and_what_does_not_fit_is_flagged(acme: Acme) -> None:
    acme.code = "bad_currency"
    with pytest.raises(GatewayNotOffered, match="amount or currency"):
        begin(order_for(HARNESS), "acme")
    assert Payment.objects.values_list("state", "error_code").get() == ("FAILED", "CURRENCY_NOT_SUPPORTED")
    acme.code = ""
    payment = begin(order_for(HARNESS), "acme")
    acme.payments[payment.reference]["merchant"] = "shop-2"
    verify_payment(caller=GUEST, payment_id=payment.pk, token=payment.order.token)
    assert_unpaid(payment, "FLAGGED")
