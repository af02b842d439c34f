"""Money through the sandbox: every script, every way a message can go wrong."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from backend.core import clock
from backend.core.caller import GUEST
from backend.core.errors import DomainError
from backend.core.models import OutboxEvent
from backend.inventory.models import StockLevel
from backend.orders.models import Order, OrderEventType
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways import registry
from backend.payments.gateways.base import GatewayUnavailable, PaymentRef
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import (
    Payment,
    PaymentTransaction,
    Refund,
    SandboxRefund,
    TransactionKind,
    WebhookMessage,
    WebhookState,
)
from backend.payments.sandbox import signing
from backend.payments.sandbox.scenarios import LATE_S, Delivery
from backend.payments.services import execute_refund, start_payment, verify_payment, verify_silent_payments
from tests.factories.catalog import make_product
from tests.factories.orders import make_order
from tests.factories.payments import (
    charge_of,
    deliver_all,
    due_deliveries,
    post,
    press,
    send,
    settle_webhooks,
    start,
    start_request,
)

pytestmark = pytest.mark.django_db


def types(order: Order) -> list[str]:
    return list(order.events.order_by("sequence").values_list("type", flat=True))


def paid_events(order: Order) -> int:
    return OutboxEvent.objects.filter(topic="order.paid", key=str(order.pk)).count()


def run_refunds() -> None:
    for refund in Refund.objects.all():
        execute_refund(refund.pk)


# Starting -----------------------------------------------------------------------------------------


def test_a_payment_is_for_what_is_due_and_sends_the_buyer_to_the_page() -> None:
    order = make_order()
    payment = start(order)
    assert (payment.amount, payment.currency, payment.state) == (order.total, order.currency, "REQUIRES_ACTION")
    assert payment.next_action is not None
    assert payment.next_action["url"].endswith(f"/sandbox/pay/{payment.reference}/")
    assert types(order) == ["PLACED", "PAYMENT_STARTED"]


def test_the_same_key_is_the_same_payment_and_other_input_is_a_conflict() -> None:
    order = make_order()
    first = start_payment(caller=GUEST, request=start_request(order, idempotency_key="k"))
    again = start_payment(caller=GUEST, request=start_request(order, idempotency_key="k"))
    assert (first.replayed, again.replayed, again.payment.pk) == (False, True, first.payment.pk)
    with pytest.raises(DomainError) as refusal:
        start(order, idempotency_key="k", return_url="https://shop.example/other")
    assert refusal.value.code == "IDEMPOTENCY_CONFLICT"
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"token": "wrong"}, "NOT_FOUND", []),
        ({"token": None}, "NOT_FOUND", []),
        ({"gateway": "nobody"}, "GATEWAY_UNAVAILABLE", ["gateway"]),
        ({"gateway": "\x00"}, "GATEWAY_UNAVAILABLE", ["gateway"]),
        ({"return_url": "javascript:alert(1)"}, "INVALID", ["returnUrl"]),
        ({"return_url": "/thanks"}, "INVALID", ["returnUrl"]),
        ({"return_url": "https://user:pw@shop.example/"}, "INVALID", ["returnUrl"]),
        ({"return_url": "https://[broken/"}, "INVALID", ["returnUrl"]),
        ({"return_url": "https://shop.example/" + "x" * 2000}, "INVALID", ["returnUrl"]),
        ({"return_url": "https://shop.example/\r\nSet-Cookie: a=b"}, "INVALID", ["returnUrl"]),
        ({"idempotency_key": ""}, "REQUIRED", ["idempotencyKey"]),
        ({"idempotency_key": "k" * 256}, "INVALID", ["idempotencyKey"]),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_nothing_is_kept(
    changes: dict[str, Any], code: str, field: list[str]
) -> None:
    order = make_order()
    with pytest.raises(DomainError) as refusal:
        start(order, **changes)
    assert refusal.value.code in (code, "REQUIRED" if code == "INVALID" and field == ["idempotencyKey"] else code)
    assert Payment.objects.count() == 0
    assert types(order) == ["PLACED"]


def test_an_order_that_is_paid_or_over_cannot_be_paid() -> None:
    paid, over = make_order(), make_order()
    payment = start(paid)
    press(payment)
    deliver_all(payment)
    clock.move_offset(901)
    for order in (paid, over):
        with pytest.raises(DomainError) as refusal:
            start(order)
        assert refusal.value.code == "ORDER_NOT_PAYABLE"


def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    order = make_order()
    request = {"idempotency_key": "k", "scenario": "START_TIMEOUT"}
    with pytest.raises(DomainError) as refusal:
        start(order, **request)
    assert refusal.value.code == "GATEWAY_UNAVAILABLE"
    payment = Payment.objects.get()
    assert (payment.state, payment.reference) == ("PENDING", "")
    again = start(order, **request)
    assert (again.pk, again.state) == (payment.pk, "REQUIRES_ACTION")


def test_the_sandbox_is_never_offered_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    assert [gateway.id for gateway in registry.enabled()] == []


@pytest.mark.django_db(transaction=True)
def test_gateways_are_never_called_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []
    for name in ("start", "verify", "refund"):
        original = getattr(SandboxGateway, name)

        def spy(self: Any, *args: Any, original: Any = original, **kwargs: Any) -> Any:
            inside.append(connection.in_atomic_block)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(SandboxGateway, name, spy)
    order = make_order()
    first, second = start(order), start(order)
    for payment in (first, second):
        press(payment)
        verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
    run_refunds()
    assert inside == [False] * 5


# Webhooks -----------------------------------------------------------------------------------------


def test_an_authentic_webhook_pays_once_however_often_it_comes() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    [delivery] = due_deliveries(payment)
    assert [send(payment, delivery) for _ in range(3)] == [200, 200, 200]
    settle_webhooks()
    settle_webhooks()
    order.refresh_from_db()
    assert (order.status, order.paid) == ("PAID", order.total)
    assert types(order) == ["PLACED", "PAYMENT_STARTED", "PAID"]
    assert paid_events(order) == 1
    assert PaymentTransaction.objects.filter(payment=payment, kind=TransactionKind.CAPTURE).count() == 1
    assert sorted(WebhookMessage.objects.values_list("state", flat=True)) == ["PROCESSED", "REJECTED", "REJECTED"]


def test_a_forged_webhook_is_kept_refused_and_cannot_take_the_true_ones_place() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    [delivery] = due_deliveries(payment)
    forged = Delivery(event_id=delivery.event_id, state="SUCCEEDED", forged=True)
    assert send(payment, forged) == 400
    settle_webhooks()
    order.refresh_from_db()
    assert order.status == "PENDING_PAYMENT"
    assert WebhookMessage.objects.get().state == WebhookState.REJECTED
    assert send(payment, delivery) == 200
    settle_webhooks()
    order.refresh_from_db()
    assert order.status == "PAID"


def test_an_old_signature_is_no_signature() -> None:
    payment = start(make_order())
    body = b"{}"
    old = int(clock.now().timestamp()) - signing.TOLERANCE_S - 5
    assert post(body, signing.sign(body, timestamp=old)) == 400
    assert payment.state == "REQUIRES_ACTION"


@pytest.mark.parametrize(
    "signature", ["", "t=,v1=", "t=abc,v1=00", "v1=00", "t=1", "t=99999999999999999999,v1=0", "é=ü", "t=1,v1=é"]
)
def test_odd_signatures_are_refused(signature: str) -> None:
    assert post(b"{}", signature) == 400


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\x00\xff", b"[" * 5000, b'{"id": 1, "charge": null}'])
def test_signed_rubbish_is_refused(body: bytes) -> None:
    assert post(body, signing.sign(body)) == 400
    assert OutboxEvent.objects.filter(topic="webhook.received").count() == 0


def test_unknown_gateways_and_large_bodies_are_refused_before_they_are_read() -> None:
    assert post(b"{}", "", gateway="nobody") == 404
    assert post(b"x" * 300_000, "") == 413
    assert WebhookMessage.objects.count() == 0


@pytest.mark.parametrize("scenario", ["WRONG_AMOUNT", "WRONG_CURRENCY"])
def test_what_does_not_fit_is_flagged_and_never_paid(scenario: str) -> None:
    order = make_order()
    payment = start(order, scenario=scenario)
    press(payment)
    deliver_all(payment)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, order.paid, payment.state) == ("PENDING_PAYMENT", 0, "FLAGGED")
    assert types(order)[-1] == OrderEventType.PAYMENT_FLAGGED
    assert PaymentTransaction.objects.count() == 0


@pytest.mark.parametrize("scenario", ["WEBHOOK_TWICE", "WEBHOOK_OUT_OF_ORDER", "APPROVE"])
def test_order_and_number_of_webhooks_do_not_matter(scenario: str) -> None:
    order = make_order()
    payment = start(order, scenario=scenario)
    press(payment)
    deliver_all(payment)
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (order.status, payment.state, paid_events(order)) == ("PAID", "SUCCEEDED", 1)


def test_a_late_failure_does_not_take_back_what_was_paid() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    deliver_all(payment)
    send(payment, Delivery(event_id="evt_late", state="FAILED"))
    settle_webhooks()
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.status) == ("SUCCEEDED", "PAID")


# Declines, second attempts, lateness --------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "button", "state", "error"),
    [
        ("DECLINE", "pay", "FAILED", "CARD_DECLINED"),
        ("APPROVE", "decline", "FAILED", "CARD_DECLINED"),
        ("APPROVE", "close", "CANCELLED", "ABANDONED"),
    ],
)
def test_a_refused_payment_leaves_the_order_payable(scenario: str, button: str, state: str, error: str) -> None:
    order = make_order()
    payment = start(order, scenario=scenario)
    press(payment, button)
    deliver_all(payment)
    payment.refresh_from_db()
    assert (payment.state, payment.error_code) == (state, error)
    second = start(order)
    press(second)
    deliver_all(second)
    order.refresh_from_db()
    assert order.status == "PAID"


def test_authentication_comes_between_where_it_is_scripted() -> None:
    payment = start(make_order(), scenario="AUTHENTICATE")
    assert press(payment).state == "AUTHENTICATING"
    assert due_deliveries(payment) == []
    assert press(payment, "authenticate").state == "SUCCEEDED"


def test_pressing_pay_twice_pays_once() -> None:
    payment = start(make_order())
    press(payment)
    press(payment)
    press(payment, "decline")
    assert charge_of(payment).state == "SUCCEEDED"
    assert len(due_deliveries(payment)) == 1


def test_an_order_paid_twice_gives_the_second_payment_back() -> None:
    order = make_order()
    first, second = start(order), start(order)
    for payment in (first, second):
        press(payment)
        deliver_all(payment)
    run_refunds()
    run_refunds()
    order.refresh_from_db()
    second.refresh_from_db()
    assert (order.status, order.payment_status) == ("PAID", "PAID")
    assert (order.paid, order.refunded) == (2 * order.total, order.total)
    assert second.state == "REFUNDED"
    assert SandboxRefund.objects.count() == 1


def test_late_money_takes_the_units_again() -> None:
    order = make_order()
    payment = start(order, scenario="WEBHOOK_LATE")
    press(payment)
    clock.move_offset(LATE_S + 1)
    assert expire_unpaid_orders() == 1
    deliver_all(payment)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("PAID", 0)
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (9, 0)


def test_late_money_goes_back_by_itself_when_the_units_are_gone() -> None:
    product = make_product(stock=1)
    variant = product.variants.get()
    order = make_order((variant, 1))
    payment = start(order, scenario="WEBHOOK_LATE")
    press(payment)
    clock.move_offset(LATE_S + 1)
    expire_unpaid_orders()
    make_order((variant, 1))
    deliver_all(payment)
    run_refunds()
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, order.payment_status) == ("EXPIRED", "REFUNDED")
    assert (order.paid, order.refunded, payment.state) == (order.total, order.total, "REFUNDED")
    assert paid_events(order) == 0


# Asking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["WEBHOOK_MISSING", "WEBHOOK_BAD_SIGNATURE"])
def test_asking_the_gateway_settles_what_no_webhook_told(scenario: str) -> None:
    order = make_order()
    payment = start(order, scenario=scenario)
    press(payment)
    deliver_all(payment)
    assert payment.state == "REQUIRES_ACTION"
    verified = verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
    assert verified.state == "SUCCEEDED"
    assert paid_events(order) == 1


def test_asking_needs_the_orders_token() -> None:
    order = make_order()
    payment = start(order)
    for token in (None, "wrong", make_order().token):
        with pytest.raises(DomainError) as refusal:
            verify_payment(caller=GUEST, payment_id=payment.pk, token=token)
        assert refusal.value.code == "NOT_FOUND"


def test_the_sweep_asks_about_silent_payments_and_one_that_fails_does_not_stop_it(monkeypatch: Any) -> None:
    orders = [make_order(), make_order()]
    silent = [start(order, scenario="WEBHOOK_MISSING") for order in orders]
    for payment in silent:
        press(payment)
    assert verify_silent_payments() == 0
    clock.move_offset(121)
    original = SandboxGateway.verify

    def half_deaf(self: Any, payment: PaymentRef) -> Any:
        if payment.payment_id == silent[0].pk:
            raise GatewayUnavailable("deaf")
        return original(self, payment)

    monkeypatch.setattr(SandboxGateway, "verify", half_deaf)
    assert verify_silent_payments() == 2
    states = [Payment.objects.get(pk=payment.pk).state for payment in silent]
    assert states == ["REQUIRES_ACTION", "SUCCEEDED"]


# The ledger ---------------------------------------------------------------------------------------


def test_the_database_refuses_to_change_the_ledger() -> None:
    order = make_order()
    payment = start(order)
    press(payment)
    deliver_all(payment)
    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentTransaction.objects.update(amount=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentTransaction.objects.all().delete()


# The page -----------------------------------------------------------------------------------------


def test_the_page_shows_the_amount_and_refuses_a_press_without_its_token(client: Any) -> None:
    order = make_order()
    payment = start(order)
    url = f"/sandbox/pay/{payment.reference}/"
    page = client.get(url)
    assert page.status_code == 200
    assert order.number in page.content.decode()
    assert "$10.00" in page.content.decode()
    assert Client(enforce_csrf_checks=True).post(url, {"button": "pay"}).status_code == 403
    answer = client.post(url, {"button": "pay"})
    assert answer.status_code == 302
    assert answer["location"].startswith("https://shop.example/thanks?from=test&payment=")
    assert "status=succeeded" in answer["location"]
    assert "Paid." in client.get(url).content.decode()
    assert client.get("/sandbox/pay/ch_unknown/").status_code == 404


def test_the_page_is_not_there_in_production(client: Any, settings: Any) -> None:
    payment = start(make_order())
    settings.PRODUCTION = True
    assert client.get(f"/sandbox/pay/{payment.reference}/").status_code == 404
