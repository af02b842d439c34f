"""The whole story, through every layer, over real HTTP and WebSocket."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.journeys.shop import ADDRESS, Shop, until

pytestmark = pytest.mark.journey


def test_a_guest_browses_orders_pays_and_watches(shop: Shop) -> None:
    # given a cart with two units of something that the guest has found
    variant = shop.variant()
    before = shop.quantity(variant["id"])
    email = f"{uuid4().hex}@example.com"
    create = """mutation ($input: CartCreateInput!) { cartCreate(input: $input) {
        cart { id itemCount totals { total { amount currency } } } userErrors { code } } }"""
    lines = [{"variantId": variant["id"], "quantity": 2}]
    cart = shop.ask(create, {"input": {"email": email, "lines": lines}})["cartCreate"]["cart"]
    assert cart["itemCount"] == 2
    assert shop.quantity(variant["id"]) == before
    address = """mutation ($id: ID!, $to: AddressInput!) {
        cartAddressesUpdate(input: { cartId: $id, shippingAddress: $to }) { userErrors { code } } }"""
    assert shop.ask(address, {"id": cart["id"], "to": ADDRESS})["cartAddressesUpdate"]["userErrors"] == []
    # when the guest orders what was shown
    place = """mutation ($id: ID!, $key: String!, $total: MoneyInput) {
        orderPlace(input: { cartId: $id, idempotencyKey: $key, expectedTotal: $total }) {
          order { id token number status hold { secondsLeft } totals { total { amount } due { amount } } }
          userErrors { code message } } }"""
    key = str(uuid4())
    variables = {"id": cart["id"], "key": key, "total": cart["totals"]["total"]}
    order = shop.ask(place, variables)["orderPlace"]["order"]
    # then the stock is held, and the whole order is watched from its first event on
    assert order["status"] == "PENDING_PAYMENT"
    assert 0 < order["hold"]["secondsLeft"] <= 900
    assert shop.quantity(variant["id"]) == before - 2
    with shop.events(order) as events:
        assert events.next()["type"] == "PLACED"
        payment = shop.start_payment(order)["payment"]
        assert events.next()["type"] == "PAYMENT_STARTED"
        answer = shop.press(payment, "pay")
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("http://localhost/thanks?from=test&")
        paid = events.next()
    assert (paid["type"], paid["sequence"], paid["order"]["status"]) == ("PAID", 3, "PAID")
    found = shop.order(order)
    assert found["totals"]["paid"] == found["totals"]["total"] == {"amount": cart["totals"]["total"]["amount"]}
    assert found["totals"]["due"]["amount"] == "0.00"
    # and one email tells of it
    until(lambda: shop.mails_to(email), what="the confirmation")
    [mail] = shop.mails_to(email)
    assert order["number"] in mail["subject"]
    assert "text/html" in [part.get_content_type() for part in mail.walk()]


def test_a_line_that_broke_is_taken_up_where_it_was_left(shop: Shop) -> None:
    order = shop.buy(shop.variant()["id"])
    with shop.events(order) as events:
        cursor = events.next()["cursor"]
    payment = shop.start_payment(order)["payment"]
    shop.press(payment, "pay")
    shop.wait_for(order, status="PAID")
    with shop.events(order, after=cursor) as events:
        assert [event["sequence"] for event in events.until_type("PAID")] == [2, 3]


def test_events_come_over_server_sent_events_too(shop: Shop) -> None:
    order = shop.buy(shop.variant()["id"])
    query = "subscription ($id: ID!, $token: String) { orderEvents(orderId: $id, token: $token) { type } }"
    body = {"query": query, "variables": {"id": order["id"], "token": order["token"]}}
    headers = {"Accept": "text/event-stream"}
    with shop.http.stream("POST", "/graphql", json=body, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        data = next(line for line in stream.iter_lines() if line.startswith("data: ") and "PLACED" in line)
    assert '"type":"PLACED"' in data


@pytest.mark.parametrize(
    ("scenario", "status", "payment_status"),
    [
        ("WEBHOOK_TWICE", "PAID", "SUCCEEDED"),
        ("WEBHOOK_BEFORE_REDIRECT", "PAID", "SUCCEEDED"),
        ("WEBHOOK_OUT_OF_ORDER", "PAID", "SUCCEEDED"),
        ("DECLINE", "PENDING_PAYMENT", "FAILED"),
        ("WRONG_AMOUNT", "PENDING_PAYMENT", "FLAGGED"),
        ("WRONG_CURRENCY", "PENDING_PAYMENT", "FLAGGED"),
    ],
)
def test_scripted_payments_end_as_their_name_says(shop: Shop, scenario: str, status: str, payment_status: str) -> None:
    email = f"{uuid4().hex}@example.com"
    order = shop.buy(shop.variant()["id"], email=email)
    payment = shop.start_payment(order, scenario)["payment"]
    assert shop.press(payment, "pay").status_code == 302

    def settled() -> bool:
        return bool(shop.order(order)["payments"][0]["status"] == payment_status)

    until(settled, what=scenario)
    assert shop.order(order)["status"] == status
    # what was sent a second time has had its time to be heard a second time
    assert len(shop.mails_after_a_later_one(email)) == (1 if status == "PAID" else 0)
    assert shop.order(order)["status"] == status


def test_a_forged_webhook_is_refused_and_changes_nothing(shop: Shop) -> None:
    email = f"{uuid4().hex}@example.com"
    order = shop.buy(shop.variant()["id"], email=email)
    payment = shop.start_payment(order, "WEBHOOK_BAD_SIGNATURE")["payment"]
    shop.press(payment, "pay")
    with shop.admin() as admin:
        until(lambda: shop.newest_message(admin, "REJECTED", payment), what="the refusal of the forged webhook")
        assert shop.mails_after_a_later_one(email) == []
        assert not shop.newest_message(admin, "VERIFIED", payment)
        assert not shop.newest_message(admin, "PROCESSED", payment)
    found = shop.order(order)
    assert (found["status"], found["totals"]["paid"]["amount"]) == ("PENDING_PAYMENT", "0.00")
    assert [each["status"] for each in found["payments"]] == ["REQUIRES_ACTION"]


def test_a_webhook_that_never_comes_is_made_up_for_by_asking(shop: Shop) -> None:
    order = shop.buy(shop.variant()["id"])
    payment = shop.start_payment(order, "WEBHOOK_MISSING")["payment"]
    shop.press(payment, "pay")
    assert shop.order(order)["status"] == "PENDING_PAYMENT"
    verify = """mutation ($id: ID!, $token: String) { paymentVerify(input: { paymentId: $id, orderToken: $token }) {
        payment { status order { status paymentStatus } } userErrors { code } } }"""
    verified = shop.ask(verify, {"id": payment["id"], "token": order["token"]})["paymentVerify"]
    assert verified["payment"] == {"status": "SUCCEEDED", "order": {"status": "PAID", "paymentStatus": "PAID"}}


def test_a_declined_payment_may_be_followed_by_another(shop: Shop) -> None:
    order = shop.buy(shop.variant()["id"])
    shop.press(shop.start_payment(order)["payment"], "decline")
    shop.wait_for(order, paymentStatus="FAILED")
    shop.press(shop.start_payment(order)["payment"], "pay")
    found = shop.wait_for(order, status="PAID")
    assert [payment["status"] for payment in found["payments"]] == ["FAILED", "SUCCEEDED"]


def test_an_order_lives_fourteen_minutes_and_fifty_seconds_and_not_fifteen_minutes_and_one(shop: Shop) -> None:
    shop.move_clock(15 * 60 + 1)  # what other tests left unpaid gives its units back before they are counted
    variant = shop.variant()
    before = shop.quantity(variant["id"])
    order = shop.buy(variant["id"], 2)
    shop.move_clock(14 * 60 + 50)
    assert shop.order(order)["status"] == "PENDING_PAYMENT"
    assert shop.quantity(variant["id"]) == before - 2
    shop.move_clock(11)
    assert shop.order(order)["status"] == "EXPIRED"
    assert shop.quantity(variant["id"]) == before
    refused = shop.start_payment(order)
    assert [error["code"] for error in refused["userErrors"]] == ["ORDER_NOT_PAYABLE"]


def test_late_money_finds_the_units_again(shop: Shop) -> None:
    order = shop.buy(shop.variant()["id"])
    payment = shop.start_payment(order, "WEBHOOK_LATE")["payment"]
    shop.press(payment, "pay")
    shop.move_clock(15 * 60 + 1)
    assert shop.wait_for(order, status="EXPIRED")["totals"]["paid"]["amount"] == "0.00"
    shop.move_clock(5 * 60 + 1)
    assert shop.wait_for(order, status="PAID")["totals"]["refunded"]["amount"] == "0.00"


def test_the_same_placement_twenty_times_at_once_is_one_order(shop: Shop) -> None:
    variant = shop.variant()
    query = """mutation ($lines: [CartLineInput!]!, $to: AddressInput!, $key: String!) {
        orderPlace(input: { lines: $lines, email: "ada@example.com", shippingAddress: $to, idempotencyKey: $key }) {
          order { id } replayed userErrors { code } } }"""
    variables = {"lines": [{"variantId": variant["id"]}], "to": ADDRESS, "key": str(uuid4())}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop.ask(query, variables)["orderPlace"], range(20)))
    assert len({answer["order"]["id"] for answer in answers}) == 1
    assert sorted(answer["replayed"] for answer in answers) == [False] + [True] * 19


def test_garbage_at_the_webhook_is_refused_and_never_a_server_error(shop: Shop) -> None:
    for body in (b"", b"\x00\xff" * 100, b"{}", b"[" * 10_000):
        answer = httpx.post(f"{shop.url}/webhooks/sandbox/", content=body, headers={"sandbox-signature": "t=1,v1=00"})
        assert answer.status_code == 400
    assert httpx.post(f"{shop.url}/webhooks/nobody/", content=b"{}").status_code == 404
    assert httpx.post(f"{shop.url}/webhooks/sandbox/", content=b"x" * 300_000).status_code == 413
