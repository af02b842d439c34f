"""The sandbox's page: every button in every state, pressed once, twice and on a page left open; hostile addresses."""

import html
from typing import Any

import httpx
import pytest
from django.test import Client

from backend.core import clock
from backend.core.ids import encode
from backend.orders.models import Order, OrderStatus
from backend.orders.services import expire_unpaid_orders
from backend.payments.models import Payment, PaymentTransaction, SandboxCharge
from backend.payments.sandbox import charges
from backend.payments.sandbox.pages import OVER, PAID_ALREADY, return_address
from backend.payments.sandbox.scenarios import LATE_S
from tests.factories.catalog import make_product
from tests.factories.orders import make_order
from tests.factories.payments import charge_of, deliver_all, due_deliveries, press, start

pytestmark = pytest.mark.django_db

BUTTONS = ("pay", "authenticate", "decline", "close")
TABLE = {
    # (scenario, state): where pay, authenticate, decline and close lead
    ("APPROVE", "OPEN"): ("SUCCEEDED", "OPEN", "FAILED", "CANCELLED"),
    ("DECLINE", "OPEN"): ("FAILED", "OPEN", "FAILED", "CANCELLED"),
    ("AUTHENTICATE", "OPEN"): ("AUTHENTICATING", "OPEN", "FAILED", "CANCELLED"),
    ("AUTHENTICATE", "AUTHENTICATING"): ("AUTHENTICATING", "SUCCEEDED", "FAILED", "CANCELLED"),
    ("APPROVE", "SUCCEEDED"): ("SUCCEEDED",) * 4,
    ("APPROVE", "FAILED"): ("FAILED",) * 4,
    ("APPROVE", "CANCELLED"): ("CANCELLED",) * 4,
    ("AUTHENTICATE", "SUCCEEDED"): ("SUCCEEDED",) * 4,
}
ROWS = [(*at, button, after) for at, row in TABLE.items() for button, after in zip(BUTTONS, row, strict=True)]
TO_STATE = {"SUCCEEDED": "pay", "FAILED": "decline", "CANCELLED": "close", "AUTHENTICATING": "pay"}


def payment_at(scenario: str, state: str) -> Payment:
    """A payment whose page has been brought to a state by its own buttons."""
    payment = start(make_order(), scenario=scenario)
    if state != "OPEN":
        press(payment, TO_STATE[state])
    if charge_of(payment).state == "AUTHENTICATING" != state:
        press(payment, "authenticate")
    assert charge_of(payment).state == state
    return payment


def page_of(payment: Payment) -> str:
    return f"/sandbox/pay/{payment.reference}/"


@pytest.mark.parametrize(("scenario", "state", "button", "after"), ROWS)
def test_every_button_in_every_state(client: Client, scenario: str, state: str, button: str, after: str) -> None:
    payment = payment_at(scenario, state)
    sent = len(due_deliveries(payment))
    answers = [client.post(page_of(payment), {"button": button}) for _ in range(2 if after != "OPEN" else 1)]
    if (state, button) != ("AUTHENTICATING", "authenticate"):
        assert charge_of(payment).state == after
    finished = after in ("SUCCEEDED", "FAILED", "CANCELLED")
    assert [answer.status_code for answer in answers] == [302 if finished else 200] * len(answers)
    if finished:
        assert all(f"status={after.lower()}" in answer["location"] for answer in answers)
    newly = finished and state in ("OPEN", "AUTHENTICATING")
    assert len(due_deliveries(payment)) == sent + newly


def test_a_double_click_on_pay_does_not_skip_authentication(client: Client) -> None:
    payment = start(make_order(), scenario="AUTHENTICATE")
    for _ in range(3):
        page = client.post(page_of(payment), {"button": "pay"})
        assert b'value="authenticate"' in page.content
        assert b'value="pay"' not in page.content
    assert (charge_of(payment).state, due_deliveries(payment)) == ("AUTHENTICATING", [])
    for _ in range(2):
        assert client.post(page_of(payment), {"button": "authenticate"}).status_code == 302
    assert len(due_deliveries(payment)) == 1


def test_the_page_has_the_buttons_that_its_state_can_use(client: Client) -> None:
    payment = start(make_order(), scenario="AUTHENTICATE")
    shown = {"OPEN": ("pay", "decline", "close"), "AUTHENTICATING": ("authenticate", "decline", "close")}
    for _ in shown:
        page = client.get(page_of(payment)).content.decode()
        there = tuple(button for button in BUTTONS if f'value="{button}"' in page)
        assert there == shown[charge_of(payment).state]
        press(payment)
    press(payment, "authenticate")
    assert "<button" not in client.get(page_of(payment)).content.decode()


@pytest.mark.parametrize("button", ["", "refund", "PAY", "pay\x00", "\x00", "\U0001f381", "x" * 5000])
def test_other_buttons_do_nothing(client: Client, button: str) -> None:
    payment = start(make_order())
    assert client.post(page_of(payment), {"button": button}).status_code == 200
    assert charge_of(payment).state == "OPEN"


def refused_press(client: Client, payment: Payment, words: str) -> None:
    """No button does anything on a page that offers only to go back."""
    before = SandboxCharge.objects.filter(pk=charge_of(payment).pk).values().get()
    for answer in (client.get(page_of(payment)), *(client.post(page_of(payment), {"button": b}) for b in BUTTONS)):
        page = answer.content.decode()
        assert answer.status_code == 200
        assert words in page
        assert "<button" not in page
        assert f'href="{html.escape(return_address(charge_of(payment)))}"' in page
        assert "status=open" in page
    assert SandboxCharge.objects.filter(pk=charge_of(payment).pk).values().get() == before
    assert due_deliveries(payment) == []


@pytest.mark.parametrize("scenario", ["APPROVE", "AUTHENTICATE"])
def test_a_page_left_open_of_an_order_that_was_paid_meanwhile_takes_nothing(client: Client, scenario: str) -> None:
    order = make_order()
    left_open, other = start(order, scenario=scenario), start(order)
    if scenario == "AUTHENTICATE":
        press(left_open)
    press(other)
    deliver_all(other)
    refused_press(client, left_open, PAID_ALREADY)
    assert PaymentTransaction.objects.count() == 1
    assert client.post(page_of(other), {"button": "pay"}).status_code == 302  # its own page still leads back


def test_a_page_of_a_cancelled_order_takes_nothing(client: Client) -> None:
    payment = start(make_order())
    Order.objects.update(status=OrderStatus.CANCELLED)
    refused_press(client, payment, OVER[OrderStatus.CANCELLED])


def test_a_page_of_an_expired_order_takes_money_only_while_its_units_are_there(client: Client) -> None:
    variant = make_product(stock=1).variants.get()
    gone, there = start(make_order((variant, 1))), start(make_order())
    clock.move_offset(901)
    assert expire_unpaid_orders() == 2
    make_order((variant, 1))
    refused_press(client, gone, OVER[OrderStatus.EXPIRED])
    assert client.post(page_of(there), {"button": "pay"}).status_code == 302
    deliver_all(there)
    assert Order.objects.get(pk=there.order_id).status == OrderStatus.PAID


def test_a_late_gateway_sends_the_buyer_back_before_it_knows(client: Client) -> None:
    payment = start(make_order(), scenario="WEBHOOK_LATE")
    answer = client.post(page_of(payment), {"button": "pay"})
    assert answer["location"].endswith("&status=processing")
    assert "hears of it later" in client.get(page_of(payment)).content.decode()
    clock.move_offset(LATE_S + 1)
    assert "hears of it later" not in client.get(page_of(payment)).content.decode()
    assert return_address(charge_of(payment)).endswith("&status=succeeded")


def test_a_finished_payment_tells_the_shop_first_or_lets_the_buyer_go_all_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(charge_id: str, data: dict[str, Any]) -> int:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr(charges, "deliver", unreachable)
    payment = start(make_order(), scenario="WEBHOOK_BEFORE_REDIRECT")
    assert client.post(page_of(payment), {"button": "pay"}).status_code == 302


@pytest.mark.parametrize(
    ("return_url", "sent_back_to"),
    [
        ("https://shop.example", "https://shop.example?payment="),
        ("https://shop.example/a?b=%ff&b=&c#end", "https://shop.example/a?b=%ff&b=&c&payment="),
        ("https://shop.example/" + "x" * 1979, "https://shop.example/xxx"),
        ("https://shop.example/\U0001f381", "https://shop.example/%F0%9F%8E%81?payment="),
    ],
)
def test_the_buyer_goes_back_to_the_address_as_it_was_given(client: Client, return_url: str, sent_back_to: str) -> None:
    payment = start(make_order(), return_url=return_url)
    answer = client.post(page_of(payment), {"button": "pay"})
    assert answer.status_code == 302
    assert answer["location"].startswith(sent_back_to)
    ids = f"payment={encode('Payment', payment.pk)}&order={encode('Order', payment.order_id)}"
    assert f"{ids}&status=succeeded" in answer["location"]
    assert return_address(charge_of(payment)).endswith("#end") == return_url.endswith("#end")


@pytest.mark.parametrize(
    "charge_id", ["%00", "ch_%00", "%ff%fe", "..%2f..%2f", "%F0%9F%8E%81", "x" * 5000, "ch_1%0d%0aa:b", "'%22<script>"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hostile_addresses_are_not_there(http: Any, method: str, charge_id: str) -> None:
    for end in ("", "/"):
        assert http(method, f"/sandbox/pay/{charge_id}{end}").status_code in (301, 400, 403, 404)
    assert http("GET", f"/sandbox/pay/{charge_id}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"button=pay\xff%ff%00", "application/x-www-form-urlencoded"),
        (b"button=no", "application/x-www-form-urlencoded; charset=no-such"),
        (b"button=pay", "text/\xff"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (b"--x\r\nrubbish", "multipart/form-data"),
        (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded"),
    ],
)
def test_hostile_forms_press_nothing(client: Client, body: bytes, content_type: str) -> None:
    payment = start(make_order())
    answer = client.generic("POST", page_of(payment), body, content_type=content_type)
    assert answer.status_code in (200, 400)
    assert charge_of(payment).state == "OPEN"
