"""The same stories at every gateway. Whatever happens on the way, the order is paid once, or not, and money adds up."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.core import clock
from backend.core.errors import DomainError
from backend.inventory.models import StockLevel
from backend.orders.models import Order
from backend.orders.services import expire_unpaid_orders
from backend.payments.models import (
    GatewayCall,
    Operation,
    Outcome,
    Payment,
    PaymentTransaction,
    Refund,
    WebhookMessage,
)
from backend.payments.services import execute_refund, request_refund
from tests.gateways.harness import Break, Can, Harness
from tests.gateways.shop import (
    begin,
    come_back,
    deliver,
    deliver_all,
    hear,
    order_for,
    refunds_of,
    sweep,
    sweep_refunds,
    verify,
    work,
)
from tests.gateways.telling import Killed, assert_paid_once, assert_unpaid, kill_after, need, need_operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def parts(harness: Harness, settings: Any) -> Harness:
    need(harness, Can.REFUND, Can.PARTIAL_REFUND)
    settings.GATEWAYS = {harness.gateway: [harness.account_for_parts()]}
    return harness


def paid(harness: Harness) -> Payment:
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    hear(harness, payment)
    assert_paid_once(harness, payment)
    return payment


def decide_refund(payment: Payment, amount: int) -> Refund:
    payment.refresh_from_db()
    return request_refund(payment, amount=amount, reason="The buyer sent it back.")


# Paying -------------------------------------------------------------------------------------------


def test_a_buyer_pays(harness: Harness) -> None:
    payment = paid(harness)
    assert payment.method
    order = Order.objects.get(pk=payment.order_id)
    assert (order.payment_due_at, order.paid_at is None) == (None, False)


def test_a_payment_begins_with_what_the_buyer_does_next(harness: Harness) -> None:
    payment = begin(order_for(harness), harness.gateway)
    assert payment.state == "REQUIRES_ACTION"
    assert payment.reference
    action = payment.next_action or {}
    assert (action["type"] == "REDIRECT" and action["url"].startswith("http")) or action["client_secret"]
    hear(harness, payment)
    assert_unpaid(payment, "REQUIRES_ACTION", "PROCESSING")


def test_a_buyer_is_declined_and_pays_at_the_second_attempt(harness: Harness) -> None:
    order = order_for(harness)
    payment = begin(order, harness.gateway)
    harness.decline(payment)
    hear(harness, payment)
    assert_unpaid(payment, "FAILED", "REQUIRES_ACTION", "CANCELLED")
    payment.refresh_from_db()
    assert payment.error_code
    second = begin(order, harness.gateway)
    harness.pay(second)
    hear(harness, second)
    assert_paid_once(harness, second)


def test_a_buyer_authenticates(harness: Harness) -> None:
    need(harness, Can.AUTHENTICATE)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay_with_authentication(payment)
    hear(harness, payment)
    assert_paid_once(harness, payment)


def test_a_buyer_goes_away_and_pays_at_the_second_attempt(harness: Harness) -> None:
    order = order_for(harness)
    payment = begin(order, harness.gateway)
    harness.abandon(payment)
    hear(harness, payment)
    assert_unpaid(payment, "CANCELLED", "REQUIRES_ACTION", "PROCESSING", "FAILED")
    second = begin(order, harness.gateway)
    harness.pay(second)
    hear(harness, second)
    assert_paid_once(harness, second)


@pytest.mark.parametrize("left", [True, False])
def test_a_buyer_pays_late(harness: Harness, left: bool) -> None:
    """The order is over: it finds its unit again, or the money goes back, or was never taken."""
    order = order_for(harness, stock=1)
    payment = begin(order, harness.gateway)
    clock.move_offset(901)
    expire_unpaid_orders()
    if not left:
        StockLevel.objects.update(on_hand=0)
    harness.pay(payment)
    hear(harness, payment)
    if left:
        assert_paid_once(harness, payment)
        return
    sweep_refunds(harness)
    order.refresh_from_db()
    assert order.status == "EXPIRED"
    assert order.paid == order.refunded
    if Can.REFUND in harness.can:
        assert harness.taken(payment) == harness.given_back(payment)


def test_two_payments_of_one_order_are_one_too_many(harness: Harness) -> None:
    need(harness, Can.REFUND)
    order = order_for(harness)
    payments = [begin(order, harness.gateway) for _ in range(2)]
    for payment in payments:
        harness.pay(payment)
    for payment in payments:
        hear(harness, payment)
    sweep_refunds(harness)
    order.refresh_from_db()
    assert (order.status, order.paid - order.refunded) == ("PAID", harness.total)
    assert sum(harness.taken(each) - harness.given_back(each) for each in payments) == harness.total


# Who tells first ----------------------------------------------------------------------------------


def test_the_message_comes_before_the_buyer(harness: Harness) -> None:
    need(harness, Can.WEBHOOKS)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    assert set(deliver_all(harness, payment)) == {200}
    assert_paid_once(harness, payment)
    come_back(harness, payment)
    verify(payment)
    assert_paid_once(harness, payment)


def test_the_buyer_comes_before_the_message(harness: Harness) -> None:
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    come_back(harness, payment)
    verify(payment)
    assert_paid_once(harness, payment)
    deliver_all(harness, payment)
    assert_paid_once(harness, payment)


def test_no_message_and_no_buyer_ever_come(harness: Harness) -> None:
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    sweep()
    assert_paid_once(harness, payment)


def test_each_message_comes_ten_times(harness: Harness) -> None:
    need(harness, Can.WEBHOOKS)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    messages = harness.messages(payment)
    assert messages
    for _ in range(10):
        for message in messages:
            assert deliver(harness, message) == 200
    work()
    assert_paid_once(harness, payment)
    ids = WebhookMessage.objects.filter(state="PROCESSED").values_list("event_id", flat=True)
    assert len(ids) == len(set(ids)) <= len(messages)


def test_messages_come_in_the_wrong_order(harness: Harness) -> None:
    need(harness, Can.WEBHOOKS)
    payment = begin(order_for(harness), harness.gateway)
    early = harness.messages(payment)
    harness.pay(payment)
    for message in [*reversed(harness.messages(payment)), *reversed(early)]:
        deliver(harness, message)
        work()
    assert_paid_once(harness, payment)


def test_a_forged_message_is_not_believed(harness: Harness) -> None:
    need(harness, Can.WEBHOOKS)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    messages = harness.messages(payment)
    for message in messages:
        assert deliver(harness, harness.forge(message)) in (200, 400)
        work()
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {"REJECTED"}
    assert_unpaid(payment, "REQUIRES_ACTION")
    for message in messages:
        deliver(harness, message)
    work()
    assert_paid_once(harness, payment)


# What does not fit --------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"amount_off": -100}, {"amount_off": 100}, {"currency": "EUR"}], ids=str)
@pytest.mark.parametrize("heard", [deliver_all, verify, sweep])
def test_what_does_not_fit_is_flagged_and_never_paid(
    harness: Harness, wrong: dict[str, Any], heard: Callable[..., Any]
) -> None:
    if heard is deliver_all:
        need(harness, Can.WEBHOOKS)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    harness.misreport(payment, **wrong)
    if heard is deliver_all:
        deliver_all(harness, payment)
    elif heard is verify:
        verify(payment)
    else:
        sweep()
    assert_unpaid(payment, "FLAGGED")
    types = Order.objects.get(pk=payment.order_id).events.values_list("type", flat=True)
    assert "PAYMENT_FLAGGED" in types


# Calls that go wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", Break)
def test_a_start_that_goes_wrong_is_repeated_with_the_same_key(harness: Harness, how: Break) -> None:
    order = order_for(harness)
    harness.break_(Operation.START, how)
    with pytest.raises(DomainError) as refusal:
        begin(order, harness.gateway, key="k")
    assert refusal.value.code == "GATEWAY_UNAVAILABLE"
    assert Payment.objects.get().state == "PENDING"
    harness.mend()
    payment = begin(order, harness.gateway, key="k")
    assert (Payment.objects.count(), payment.state) == (1, "REQUIRES_ACTION")
    harness.pay(payment)
    hear(harness, payment)
    assert_paid_once(harness, payment)


@pytest.mark.parametrize("operation", [Operation.VERIFY, Operation.CAPTURE])
@pytest.mark.parametrize("how", Break)
def test_a_question_that_goes_wrong_is_asked_again(harness: Harness, operation: Operation, how: Break) -> None:
    need_operation(harness, operation)
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    harness.break_(operation, how)
    with pytest.raises(DomainError) as refusal:
        verify(payment)
    assert refusal.value.code == "GATEWAY_UNAVAILABLE"
    assert_unpaid(payment, "REQUIRES_ACTION", "PROCESSING")
    harness.mend()
    sweep()
    assert_paid_once(harness, payment)


@pytest.mark.parametrize("how", Break)
def test_a_refund_that_goes_wrong_is_made_once(harness: Harness, how: Break) -> None:
    need(harness, Can.REFUND)
    payment = paid(harness)
    decide_refund(payment, harness.total)
    harness.break_(Operation.REFUND, how)
    work()
    assert refunds_of(payment) == [(harness.total, "PENDING")]
    assert Order.objects.get().refunded == 0
    harness.mend()
    sweep_refunds(harness)
    assert refunds_of(payment) == [(harness.total, "SUCCEEDED")]
    payment.refresh_from_db()
    assert (payment.state, harness.given_back(payment), Order.objects.get().refunded) == (
        "REFUNDED",
        harness.total,
        harness.total,
    )


# Processes that die -------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [Operation.START, Operation.VERIFY, Operation.CAPTURE, Operation.REFUND])
def test_a_process_dies_between_the_call_and_its_record(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    need_operation(harness, operation)
    order = order_for(harness)
    if operation == Operation.START:
        with monkeypatch.context() as patch:
            kill_after(patch, operation)
            with pytest.raises(Killed):
                begin(order, harness.gateway, key="k")
    payment = begin(order, harness.gateway, key="k")
    assert Payment.objects.count() == 1
    harness.pay(payment)
    if operation in (Operation.VERIFY, Operation.CAPTURE):
        with monkeypatch.context() as patch:
            kill_after(patch, operation)
            with pytest.raises(Killed):
                verify(payment)
    if operation != Operation.REFUND:
        sweep(2)
        assert_paid_once(harness, payment)
        return
    hear(harness, payment)
    refund = decide_refund(payment, harness.total)
    with monkeypatch.context() as patch:
        kill_after(patch, operation)
        with pytest.raises(Killed):
            execute_refund(refund.pk)
    assert refunds_of(payment) == [(harness.total, "PENDING")]
    sweep_refunds(harness)
    assert refunds_of(payment) == [(harness.total, "SUCCEEDED")]
    assert harness.given_back(payment) == harness.total


# Giving back --------------------------------------------------------------------------------------


def test_money_goes_back_in_parts_and_never_more_than_was_taken(parts: Harness) -> None:
    payment = paid(parts)
    quarter = parts.total // 4
    decide_refund(payment, quarter)
    work()
    sweep_refunds(parts)
    payment.refresh_from_db()
    assert (payment.state, parts.given_back(payment)) == ("PARTIALLY_REFUNDED", quarter)
    with pytest.raises(DomainError):
        decide_refund(payment, parts.total)
    decide_refund(payment, parts.total - quarter)
    work()
    sweep_refunds(parts)
    payment.refresh_from_db()
    order = Order.objects.get()
    assert (payment.state, parts.given_back(payment)) == ("REFUNDED", parts.total)
    assert (order.payment_status, order.refunded) == ("REFUNDED", parts.total)
    with pytest.raises(DomainError):
        decide_refund(payment, 1)


def test_two_refunds_of_the_same_amount_are_two(parts: Harness) -> None:
    payment = paid(parts)
    for _ in range(2):
        decide_refund(payment, parts.total // 4)
        work()
        sweep_refunds(parts)
    assert refunds_of(payment) == [(parts.total // 4, "SUCCEEDED")] * 2
    assert parts.given_back(payment) == parts.total // 2


def test_a_refund_is_refused_and_staff_are_told(harness: Harness) -> None:
    need(harness, Can.REFUND, Can.REFUSE_REFUND)
    payment = paid(harness)
    harness.refuse_refunds()
    refund = decide_refund(payment, harness.total)
    work()
    sweep_refunds(harness)
    refund.refresh_from_db()
    assert (refund.state, bool(refund.error_code)) == ("FAILED", True)
    order = Order.objects.get()
    assert (order.refunded, harness.given_back(payment)) == (0, 0)
    assert "PAYMENT_FLAGGED" in order.events.values_list("type", flat=True)


# What is kept -------------------------------------------------------------------------------------


def test_every_call_is_written_down_and_no_secret_is(harness: Harness) -> None:
    payment = begin(order_for(harness), harness.gateway)
    verify(payment)
    harness.pay(payment)
    hear(harness, payment)
    made = GatewayCall.objects.filter(payment=payment)
    assert {each.operation for each in made} >= {"START", "VERIFY"}
    assert all(each.outcome == Outcome.ANSWERED and each.finished_at for each in made)
    secrets = [value for name, value in harness.account().values if "secret" in name or "passw" in name]
    kept = [
        *made.values_list("excerpt", "message"),
        *Payment.objects.values_list("data", "error_message"),
        *PaymentTransaction.objects.values_list("excerpt", "gateway_id"),
    ]
    assert not [secret for secret in secrets if secret in str(kept)]
