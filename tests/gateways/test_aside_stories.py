"""The stories of money that is set aside until staff take it, over every gateway that can."""

from dataclasses import replace
from typing import Any

import pytest

from backend.core import clock
from backend.orders.models import Order
from backend.payments.gateways import registry
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.models import Operation, Payment, PaymentTransaction, TransactionKind
from backend.payments.services import cancel_payment, capture_payment
from backend.payments.services.calls import LEASE
from tests.gateways.harness import Break, Can, Harness
from tests.gateways.shop import begin, deliver, hear, order_for, sweep, work
from tests.gateways.telling import Killed, assert_paid_once, assert_unpaid, kill_after, need

pytestmark = pytest.mark.django_db


@pytest.fixture
def aside(harness: Harness, settings: Any) -> Harness:
    need(harness, Can.MANUAL_CAPTURE)
    settings.GATEWAYS = {harness.gateway: [replace(harness.account(), manual_capture=True)]}
    return harness


def authorized(aside: Harness) -> Payment:
    payment = begin(order_for(aside), aside.gateway)
    aside.pay(payment)
    hear(aside, payment)
    assert_unpaid(payment, "AUTHORIZED")
    assert aside.taken(payment) == 0
    return payment


def moved(payment: Payment, kind: TransactionKind) -> list[int]:
    return list(PaymentTransaction.objects.filter(payment=payment, kind=kind).values_list("amount", flat=True))


def test_staff_take_what_is_set_aside(aside: Harness) -> None:
    payment = authorized(aside)
    sweep()
    assert_unpaid(payment, "AUTHORIZED")
    capture_payment(payment.pk)
    assert_paid_once(aside, payment)
    assert moved(payment, TransactionKind.AUTHORIZE) == [aside.total]
    hear(aside, payment)
    assert_paid_once(aside, payment)


def test_staff_give_up_what_is_set_aside(aside: Harness) -> None:
    payment = authorized(aside)
    cancel_payment(payment.pk)
    assert_unpaid(payment, "CANCELLED")
    assert (aside.taken(payment), moved(payment, TransactionKind.VOID)) == (0, [aside.total])
    hear(aside, payment)
    assert_unpaid(payment, "CANCELLED")
    assert begin(Order.objects.get(), aside.gateway).state == "REQUIRES_ACTION"


def test_a_part_is_taken_where_the_gateway_can(aside: Harness) -> None:
    payment, half = authorized(aside), aside.total // 2
    if not registry.get(aside.gateway).capabilities.partial_capture:
        with pytest.raises(Exception, match="all of it"):
            capture_payment(payment.pk, amount=half)
        assert_unpaid(payment, "AUTHORIZED")
        return
    capture_payment(payment.pk, amount=half)
    payment.refresh_from_db()
    assert (payment.state, aside.taken(payment), Order.objects.get().paid) == ("SUCCEEDED", half, half)
    assert moved(payment, TransactionKind.CAPTURE) == [half]


def test_each_message_of_it_comes_ten_times(aside: Harness) -> None:
    payment = begin(order_for(aside), aside.gateway)
    aside.pay(payment)
    for message in aside.messages(payment) * 10:
        assert deliver(aside, message) == 200
    work()
    hear(aside, payment)
    assert_unpaid(payment, "AUTHORIZED")
    assert moved(payment, TransactionKind.AUTHORIZE) == [aside.total]


def test_taking_it_goes_wrong_and_is_repeated(aside: Harness) -> None:
    payment = authorized(aside)
    aside.break_(Operation.CAPTURE, Break.ERROR_500)
    with pytest.raises(GatewayUnavailable):
        capture_payment(payment.pk)
    assert_unpaid(payment, "AUTHORIZED")
    aside.mend()
    capture_payment(payment.pk)
    assert_paid_once(aside, payment)


@pytest.mark.parametrize("again", [True, False], ids=["asked again", "heard by the sweep"])
def test_a_process_dies_between_taking_it_and_its_record(
    aside: Harness, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    payment = authorized(aside)
    with monkeypatch.context() as patch:
        kill_after(patch, Operation.CAPTURE)
        with pytest.raises(Killed):
            capture_payment(payment.pk)
    with pytest.raises(GatewayUnavailable, match="is running"):
        capture_payment(payment.pk)
    clock.move_offset(LEASE.total_seconds() + 1)
    if again:
        capture_payment(payment.pk)
    else:
        sweep()
    assert_paid_once(aside, payment)


def test_a_process_dies_between_giving_it_up_and_its_record(aside: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = authorized(aside)
    with monkeypatch.context() as patch:
        kill_after(patch, Operation.CANCEL)
        with pytest.raises(Killed):
            cancel_payment(payment.pk)
    clock.move_offset(LEASE.total_seconds() + 1)
    cancel_payment(payment.pk)
    assert_unpaid(payment, "CANCELLED")
    assert moved(payment, TransactionKind.VOID) == [aside.total]
