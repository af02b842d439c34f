"""Many at the same instant, over sockets to the real server: its pool, its workers, its database."""

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import pytest

from backend.payments.sandbox import signing
from schema.server.ids import decode_uuid
from tests.journeys.shop import ADDRESS, Shop, charge_of, until

pytestmark = pytest.mark.journey
BUYERS, UNITS = 200, 50
MIB = 1024 * 1024
PLACE = """mutation ($lines: [CartLineInput!]!, $email: String!, $to: AddressInput!, $key: String!) {
  orderPlace(input: { lines: $lines, email: $email, shippingAddress: $to, idempotencyKey: $key }) {
    order { number } userErrors { code field } shortages { variantId requested available } } }"""


def post_at_once(url: str, requests: list[dict[str, Any]]) -> list[httpx.Response]:
    """All requests together, each on a connection of its own."""

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=len(requests))
        async with httpx.AsyncClient(limits=limits, timeout=90) as client:
            return await asyncio.gather(*(client.post(url, **request) for request in requests))

    return asyncio.run(run())


def test_two_hundred_buyers_of_fifty_units_place_fifty_orders(shop: Shop) -> None:
    # given a variant with exactly fifty units
    shop.move_clock(15 * 60 + 1)
    variant = shop.variant(minimum=UNITS)
    stock = shop.quantity(variant["id"])
    if stock > UNITS:
        shop.buy(variant["id"], stock - UNITS)
    assert shop.quantity(variant["id"]) == UNITS
    # when two hundred want one each
    bodies = [
        {"lines": [{"variantId": variant["id"]}], "email": f"{n}@example.com", "to": ADDRESS, "key": str(uuid4())}
        for n in range(BUYERS)
    ]
    answers = post_at_once(f"{shop.url}/graphql", [{"json": {"query": PLACE, "variables": each}} for each in bodies])
    # then fifty have it, the others are told why not, and nothing else went wrong
    assert Counter(answer.status_code for answer in answers) == {200: BUYERS}
    assert [answer.json()["errors"] for answer in answers if "errors" in answer.json()] == []
    payloads = [answer.json()["data"]["orderPlace"] for answer in answers]
    assert len({each["order"]["number"] for each in payloads if each["order"]}) == UNITS
    refusals = Counter(error["code"] for each in payloads for error in each["userErrors"])
    assert refusals == {"OUT_OF_STOCK": BUYERS - UNITS}
    short = [shortage for each in payloads for shortage in each["shortages"]]
    assert short == [{"variantId": variant["id"], "requested": 1, "available": 0}] * (BUYERS - UNITS)
    assert shop.quantity(variant["id"]) == 0
    # and all of it comes back when nobody pays
    shop.move_clock(15 * 60 + 1)
    assert shop.quantity(variant["id"]) == stock


def test_the_same_webhook_twenty_times_at_once_is_one_payment_and_one_email(shop: Shop) -> None:
    # given a payment that the sandbox took and tells nobody of
    email = f"{uuid4().hex}@example.com"
    order = shop.buy(shop.variant()["id"], email=email)
    payment = shop.start_payment(order, "WEBHOOK_MISSING")["payment"]
    shop.press(payment, "pay")
    body = webhook(order, payment)
    signature = signing.sign(body, timestamp=int(shop.time().timestamp()))
    # when its webhook comes twenty times together
    request = {"content": body, "headers": {signing.HEADER: signature, "content-type": "application/json"}}
    answers = post_at_once(f"{shop.url}/webhooks/sandbox/", [request] * 20)
    # then it is heard once
    assert Counter(answer.status_code for answer in answers) == {200: 20}
    shop.wait_for(order, status="PAID")
    until(lambda: shop.mails_to(email), what="the confirmation")
    assert len(shop.mails_after_a_later_one(email)) == 1
    found = shop.order(order)
    assert [each["status"] for each in found["payments"]] == ["SUCCEEDED"]
    assert found["totals"]["paid"] == found["totals"]["total"] == {"amount": order["totals"]["total"]["amount"]}
    assert found["totals"]["refunded"]["amount"] == "0.00"
    with shop.events(order) as events:
        assert [each["type"] for each in events.until_type("PAID")] == ["PLACED", "PAYMENT_STARTED", "PAID"]


def webhook(order: dict[str, Any], payment: dict[str, Any]) -> bytes:
    total = order["totals"]["total"]
    charge = {
        "id": charge_of(payment),
        "merchant_reference": str(decode_uuid(payment["id"], "Payment")),
        "amount": int(total["amount"].replace(".", "")),
        "currency": total["currency"],
        "error_code": "",
        "error_message": "",
    }
    return json.dumps({"id": f"evt_{charge['id']}", "state": "SUCCEEDED", "charge": charge}).encode()


def test_a_warm_shop_stays_within_its_memory(shop: Shop) -> None:
    for _ in range(3):
        shop.mails_after_a_later_one("nobody@example.com")
    web, worker = shop.rss("uvicorn schema.asgi"), shop.rss("dramatiq workers.main")
    assert web
    assert worker
    assert sum(web) < 220 * MIB
    assert sum(worker) < 160 * MIB  # with its parent
