"""The double refuses what PayPal refuses, so that stories over it mean something."""

import http.server
import json
import queue
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.gateways.harness import ROOT
from tests.gateways.harnesses.paypal import PayPalHarness
from tests.gateways.paypal.kit import asked, gateway, incoming
from tests.gateways.shop import (
    begin,
    hear,
    order_for,
)
from tests.gateways.telling import assert_paid_once

pytestmark = pytest.mark.django_db


# The double ---------------------------------------------------------------------------------------


class Asked:
    """A client that makes mistakes, which the real one would refuse."""

    def __init__(self, paypal: PayPalHarness) -> None:
        self.url = paypal.url
        account = paypal.account()
        basic = (account["client_id"], account["client_secret"])
        told = self.post("/v1/oauth2/token", None, auth=basic, data={"grant_type": "client_credentials"}).json()
        self.token = told["access_token"]

    def post(self, path: str, body: Any, *, key: str = "", **more: Any) -> httpx.Response:
        headers = {"PayPal-Request-Id": key} if key else {}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        sent = more or {"json": body}
        return httpx.post(self.url + path, headers=headers, timeout=5, **sent)

    def issue(self, path: str, body: Any, **more: Any) -> tuple[int, str]:
        answer = self.post(path, body, **more)
        return answer.status_code, answer.json()["details"][0]["issue"]


def order_sent(value: Any = "10.00", currency: str = "USD", intent: str = "CAPTURE") -> dict[str, Any]:
    unit = {"custom_id": "ours", "amount": {"currency_code": currency, "value": value}}
    return {"intent": intent, "purchase_units": [unit]}


def test_the_double_refuses_what_paypal_refuses(process: PayPalHarness) -> None:
    process.reset()
    to = Asked(process)
    orders = "/v2/checkout/orders"
    assert httpx.post(process.url + orders, json={}, timeout=5).status_code == 401
    assert to.issue(orders, order_sent(10.0))[0] == 400
    assert to.issue(orders, {"intent": "CAPTURE"})[0] == 400
    assert to.issue(orders, order_sent("10.00", "JPY")) == (422, "DECIMALS_NOT_SUPPORTED")
    assert to.issue(orders, order_sent("10.001")) == (422, "DECIMAL_PRECISION")
    assert to.issue(orders, order_sent("0")) == (422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    assert to.issue(orders, order_sent("10.00", "EGP")) == (422, "INVALID_CURRENCY_CODE")
    wallet = {"payment_source": {"paypal": {}}}
    assert to.issue(orders, {**order_sent(), **wallet}) == (400, "PAYPAL_REQUEST_ID_REQUIRED")
    first = to.post(orders, order_sent(), key="1")
    again = to.post(orders, order_sent(), key="1")
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert set(first.json()) == {"id", "status", "links"}, "amounts are told only to those who ask for them"
    order = f"{orders}/{first.json()['id']}"
    assert to.issue(f"{order}/capture", {}) == (422, "ORDER_NOT_APPROVED")
    process.command("approve", payment="ours")
    assert to.issue(f"{order}/authorize", {}) == (422, "ACTION_DOES_NOT_MATCH_INTENT")
    assert to.post(f"{order}/capture", {}, key="2").status_code == 201
    assert to.issue(f"{order}/capture", {}, key="3") == (422, "ORDER_ALREADY_CAPTURED")
    assert to.issue(f"{orders}/NONE/capture", {}) == (404, "INVALID_RESOURCE_ID")


def test_the_double_gives_no_more_back_than_was_taken(process: PayPalHarness) -> None:
    process.reset()
    to = Asked(process)
    made = to.post("/v2/checkout/orders", order_sent(), key="1").json()["id"]
    process.command("approve", payment="ours")
    to.post(f"/v2/checkout/orders/{made}/capture", {}, key="2")
    event = json.loads(process.command("messages", payment="ours")[-1]["body"])
    refunds = f"/v2/payments/captures/{event['resource']['id']}/refund"
    usd = {"currency_code": "USD", "value": "6.00"}
    assert to.issue(refunds, {"amount": {**usd, "currency_code": "EUR"}}) == (422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
    assert to.post(refunds, {"amount": usd}, key="3").status_code == 201
    assert to.post(refunds, {"amount": usd}, key="3").status_code == 200
    assert to.issue(refunds, {"amount": usd}, key="4") == (422, "REFUND_AMOUNT_EXCEEDED")
    assert to.post(refunds, {}, key="5").status_code == 201
    assert to.issue(refunds, {}, key="6") == (422, "CAPTURE_FULLY_REFUNDED")
    assert process.command("sums", payment="ours") == ["10.00", "10.00"]


class Shop(http.server.BaseHTTPRequestHandler):
    """Keeps the first message that comes."""

    came: queue.Queue[tuple[str, bytes, dict[str, str]]] = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.came.put((self.path, body, dict(self.headers)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_double_sends_its_messages_by_itself_to_those_who_click_through() -> None:
    command = [sys.executable, "-m", "tests.gateways.fakes.paypal", "--deliver"]
    with (
        http.server.HTTPServer(("127.0.0.1", 0), Shop) as shop,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            harness = PayPalHarness()
            harness.control = httpx.Client(base_url=process.stdout.readline().strip(), timeout=10)
            at = gateway(harness)
            back = f"http://127.0.0.1:{shop.server_port}/payments/return/paypal/1/"
            started = at.start(asked(callback_url=back))
            httpx.post((started.next_action or {})["url"], data={"act": "pay"}, timeout=5)
            shop.timeout = 10
            shop.handle_request()
            path, body, headers = Shop.came.get(timeout=10)
            assert path == "/webhooks/paypal/"
            assert at.parse_webhook(incoming(body, headers)).kind == "CHECKOUT.ORDER.APPROVED"
        finally:
            harness.control.close()
            process.terminate()


def test_the_doubles_page_leads_through_a_payment(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    url = (payment.next_action or {})["url"]
    assert "Pay" in httpx.get(url, timeout=5).text
    back = httpx.post(url, data={"act": "pay"}, timeout=5)
    assert back.status_code == 303
    assert f"token={payment.reference}" in back.headers["location"]
    hear(paypal, payment)
    assert_paid_once(paypal, payment)
