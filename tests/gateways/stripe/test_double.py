"""The proxy checks what it is for: known-bad requests, which the SDK would send without a word, are refused."""

from queue import Queue
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import stripe as library
from stripe import StripeClient, V1Services

from tests.gateways.fakes.stripe_api import KEY, SECRET
from tests.gateways.harness import Sent
from tests.gateways.harnesses.stripe import StripeHarness
from tests.gateways.shop import begin, hear, order_for

INTENT = {"amount": 1999, "currency": "usd"}
PAGE: dict[str, Any] = {
    "mode": "payment",
    "success_url": "https://shop.example/",
    "line_items": [
        {"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 1999, "product_data": {"name": "Mug"}}}
    ],
}


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"amount": 19.99}, "amount"),
        ({"amount": "19,99"}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": None}, "currency"),
        ({"capture_method": "later"}, "capture_method"),
        ({"order": "1001"}, "order"),
        ({"automatic_payment_methods": {"enabled": "yes"}}, "automatic_payment_methods[enabled]"),
        ({"automatic_payment_methods": {"allow": True}}, "automatic_payment_methods[allow]"),
        ({"shipping": {"name": "Ada"}}, "shipping[address]"),
        ({"shipping": {"name": "Ada", "address": {"zip": "1"}}}, "shipping[address][zip]"),
        ({"return_url": "https://shop.example/"}, "return_url"),
    ],
)
def test_intents_are_checked_against_the_sdks_types(
    stripe: StripeHarness, sdk: V1Services, changed: dict[str, Any], param: str
) -> None:
    params: Any = {key: value for key, value in (INTENT | changed).items() if value is not None}
    with pytest.raises(library.InvalidRequestError) as refusal:
        sdk.payment_intents.create(params, {"idempotency_key": "k"})
    assert refusal.value.param == param
    assert sdk.payment_intents.create({"amount": 1999, "currency": "usd"}, {"idempotency_key": "k"}).amount == 1999


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"mode": None}, "mode"),
        ({"mode": "sale"}, "mode"),
        ({"line_items": None}, "line_items"),
        ({"success_url": None}, "success_url"),
        ({"expires_at": 1}, "expires_at"),
        ({"locale": "tlh"}, "locale"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"payment_intent_data": {"meta": {}}}, None),
        ({"customer": "cus_1", "customer_email": "a@example.com"}, "customer_email"),
    ],
)
def test_sessions_are_checked_too(
    stripe: StripeHarness, sdk: V1Services, changed: dict[str, Any], param: str | None
) -> None:
    params: Any = {key: value for key, value in (PAGE | changed).items() if value is not None}
    if param is None:
        params["payment_intent_data"] = {"meta": {"x": "y"}}
        param = "payment_intent_data[meta]"
    with pytest.raises(library.InvalidRequestError) as refusal:
        sdk.checkout.sessions.create(params)
    assert refusal.value.param == param


def test_a_key_gives_the_stored_answer_a_decline_included(stripe: StripeHarness, sdk: V1Services) -> None:
    first = sdk.payment_intents.create({"amount": 1999, "currency": "usd"}, {"idempotency_key": "k"})
    again = sdk.payment_intents.create({"amount": 1999, "currency": "usd"}, {"idempotency_key": "k"})
    assert first.id == again.id
    with pytest.raises(library.IdempotencyError):
        sdk.payment_intents.create({"amount": 2000, "currency": "usd"}, {"idempotency_key": "k"})
    told = []
    for _ in range(2):
        with pytest.raises(library.InvalidRequestError) as refusal:
            sdk.payment_intents.capture(first.id, {}, {"idempotency_key": "c"})
        told.append(refusal.value.code)
    assert told == ["payment_intent_unexpected_state"] * 2


def test_nobody_without_the_key_is_served(stripe: StripeHarness) -> None:
    stranger = StripeClient("sk_test_other", base_addresses={"api": stripe.url}, max_network_retries=0).v1
    with pytest.raises(library.AuthenticationError):
        stranger.payment_intents.create({"amount": 1999, "currency": "usd"})


@pytest.mark.django_db
def test_the_doubles_page_leads_through_both_flows(shop: StripeHarness) -> None:
    payment = begin(order_for(shop), "stripe")
    action = payment.next_action or {}
    intent, _, _ = str(action.get("client_secret", "")).partition("_secret_")
    secret = {"client_secret": action.get("client_secret", ""), "return_url": "https://shop.example/thanks?"}
    url = action.get("url") or f"{shop.url}/c/pay/{intent}?{urlencode(secret)}"
    assert "Pay with a card that is declined" in httpx.get(url, timeout=5).text
    back = httpx.post(url, data={"act": "authenticate"}, timeout=5)
    assert back.status_code == 303
    assert back.headers["location"].startswith("http")
    assert httpx.get(url, timeout=5).status_code == 303  # nobody pays twice
    hear(shop, payment)
    payment.refresh_from_db()
    assert (payment.state, shop.taken(payment)) == ("SUCCEEDED", shop.total)
    assert httpx.get(f"{shop.url}/c/pay/{intent or 'cs_x'}?client_secret=guessed", timeout=5).status_code == 404


def test_messages_go_out_signed_where_people_click_through(
    door: tuple[str, "Queue[Sent]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m tests.gateways.fakes.stripe --deliver`."""
    url, came = door
    monkeypatch.setenv("STRIPE_DOUBLE_TELLS", url)
    clicked = StripeHarness()
    clicked.options = ("--deliver",)
    clicked.begin()
    try:
        sdk = StripeClient(KEY, base_addresses={"api": clicked.url}, max_network_retries=0)
        sdk.v1.payment_intents.create({"amount": 1999, "currency": "usd"})
        message = came.get(timeout=10)
        event = sdk.construct_event(message.body, message.headers["Stripe-Signature"], SECRET)
        assert event.type == "payment_intent.created"
    finally:
        clicked.end()
