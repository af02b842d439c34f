"""The double refuses what PayPal refuses, so that stories over it mean something."""

import json
from typing import Any

import httpx
import pytest

from tests.gateways.harnesses.paypal import PayPalHarness
from tests.gateways.shop import (
    begin,
    hear,
    order_for,
)
from tests.gateways.test_stories import assert_paid_once

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


def test_the_doubles_page_leads_through_a_payment(paypal: PayPalHarness) -> None:
    payment = begin(order_for(paypal), "paypal")
    url = (payment.next_action or {})["url"]
    assert "Pay" in httpx.get(url, timeout=5).text
    back = httpx.post(url, data={"act": "pay"}, timeout=5)
    assert back.status_code == 303
    assert f"token={payment.reference}" in back.headers["location"]
    hear(paypal, payment)
    assert_paid_once(paypal, payment)
