"""What went silent is asked about in turn, ever less often, and in the end no more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.core import clock
from backend.core.caller import GUEST
from backend.orders.services import expire_unpaid_orders
from backend.payments import schedule
from backend.payments.gateways.base import GatewayUnavailable, PaymentRef
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import Payment, PaymentState, Refund
from backend.payments.patience import FORGOTTEN, LONGEST, SILENT, next_question
from backend.payments.sandbox.scenarios import LATE_S
from backend.payments.services import execute_refund, sweeping, verify_payment, verify_silent_payments
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start

pytestmark = pytest.mark.django_db
SILENT_S = SILENT.total_seconds()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The payments that the gateway was asked about, in order."""
    seen: list[UUID] = []
    original = SandboxGateway.verify

    def spy(self: Any, payment: PaymentRef) -> Any:
        seen.append(payment.payment_id)
        return original(self, payment)

    monkeypatch.setattr(SandboxGateway, "verify", spy)
    return seen


def silent_payment() -> Payment:
    return start(make_order(), scenario="WEBHOOK_MISSING")


def test_payments_that_never_resolve_do_not_starve_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    stuck = [silent_payment() for _ in range(4)]
    clock.move_offset(1)
    newer = silent_payment()
    press(newer)
    clock.move_offset(SILENT_S)
    assert [verify_silent_payments() for _ in range(3)] == [2, 2, 1]
    newer.refresh_from_db()
    assert newer.state == PaymentState.SUCCEEDED
    assert set(Payment.objects.filter(pk__in=[each.pk for each in stuck]).values_list("state", flat=True)) == {
        "REQUIRES_ACTION"
    }


def test_a_new_payment_is_asked_about_before_old_ones_are_asked_again(asked: list[UUID], monkeypatch: Any) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 1)
    old = silent_payment()
    clock.move_offset(SILENT_S)
    verify_silent_payments()
    new = silent_payment()
    clock.move_offset(SILENT_S + 1)
    verify_silent_payments()
    verify_silent_payments()
    assert asked == [old.pk, old.pk, new.pk]
    clock.move_offset(SILENT_S)
    verify_silent_payments()
    assert asked[3:] == [old.pk]


def test_nobody_is_asked_again_at_once(asked: list[UUID]) -> None:
    silent_payment()
    clock.move_offset(SILENT_S)
    assert [verify_silent_payments(), verify_silent_payments()] == [1, 0]
    clock.move_offset(SILENT_S)
    assert verify_silent_payments() == 1
    assert len(asked) == 2


def test_questions_become_rarer_and_end_after_a_week(asked: list[UUID]) -> None:
    payment = silent_payment()
    end = payment.created_at + FORGOTTEN
    due = payment.next_ask_at
    while due is not None:
        clock.move_offset((due - clock.now()).total_seconds() + 0.001)
        assert verify_silent_payments() == 1
        payment.refresh_from_db()
        due = payment.next_ask_at
    assert 20 <= len(asked) <= 40
    assert clock.now() >= end
    clock.move_offset(LONGEST.total_seconds() * 30)
    assert verify_silent_payments() == 0
    # and the buyer who comes back after all is heard
    press(payment)
    verified = verify_payment(caller=GUEST, payment_id=payment.pk, token=payment.order.token)
    assert verified.state == PaymentState.SUCCEEDED


def test_after_an_outage_of_weeks_each_payment_is_asked_about_once() -> None:
    payment = silent_payment()
    press(payment)
    clock.move_offset(FORGOTTEN.total_seconds() * 3)
    assert verify_silent_payments() == 1
    payment.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED


def test_the_times_between_questions() -> None:
    begin = clock.now()
    for age, gap in [(2, 2), (8, 2), (60, 15), (60 * 24, 6 * 60), (60 * 24 * 30, 24 * 60)]:
        moment = begin + timedelta(minutes=age)
        assert next_question(begin, moment) - moment == timedelta(minutes=gap)


def test_one_that_breaks_the_sweep_does_not_break_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = silent_payment(), silent_payment()
    press(sound)
    original = SandboxGateway.verify

    def breaking(self: Any, payment: PaymentRef) -> Any:
        if payment.payment_id == broken.pk:
            raise RuntimeError("a bug")
        return original(self, payment)

    monkeypatch.setattr(SandboxGateway, "verify", breaking)
    clock.move_offset(SILENT_S + 1)
    with pytest.raises(RuntimeError):
        verify_silent_payments()
    assert verify_silent_payments() == 1
    sound.refresh_from_db()
    assert sound.state == PaymentState.SUCCEEDED


def test_a_gateway_that_is_not_offered_any_more_is_passed_over(settings: Any) -> None:
    silent_payment()
    clock.move_offset(SILENT_S)
    settings.GATEWAYS = {}
    assert verify_silent_payments() == 1


def test_a_slow_sweep_ends_before_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        silent_payment()
    clock.move_offset(SILENT_S + 1)
    monkeypatch.setattr(sweeping, "SWEEP_S", 0)
    assert verify_silent_payments() == 0


def test_decided_payments_are_not_asked_about(asked: list[UUID]) -> None:
    payment = start(make_order())
    press(payment)
    deliver_all(payment)
    clock.move_offset(SILENT_S)
    assert verify_silent_payments() == 0
    verify_payment(caller=GUEST, payment_id=payment.pk, token=payment.order.token)
    assert asked == []


def test_a_refund_whose_message_was_lost_is_made_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order()
    payments = [start(order), start(order)]
    for payment in payments:
        press(payment)
        deliver_all(payment)
    refund = Refund.objects.get()
    assert sweeping.retry_silent_refunds() == 0
    original = SandboxGateway.refund

    def deaf(self: Any, *asked: Any) -> str:
        raise GatewayUnavailable("deaf")

    monkeypatch.setattr(SandboxGateway, "refund", deaf)
    clock.move_offset(FORGOTTEN.total_seconds() * 2)
    assert schedule.VERIFY_SILENT_PAYMENTS.run() == 1
    monkeypatch.setattr(SandboxGateway, "refund", original)
    clock.move_offset(LONGEST.total_seconds())
    assert schedule.VERIFY_SILENT_PAYMENTS.run() == 1
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.state, order.refunded) == ("SUCCEEDED", order.total)
    execute_refund(refund.pk)
    clock.move_offset(LONGEST.total_seconds())
    assert sweeping.retry_silent_refunds() == 0


@pytest.mark.parametrize("ask", ["buyer", "sweep"])
def test_a_late_gateway_knows_nothing_of_the_money_before_its_webhook_does(ask: str) -> None:
    order = make_order()
    payment = start(order, scenario="WEBHOOK_LATE")
    press(payment)
    for seconds in (130, 901 - 130):
        clock.move_offset(seconds)
        expire_unpaid_orders()
        if ask == "sweep":
            assert verify_silent_payments() == 1
        else:
            verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, order.paid, payment.state) == ("EXPIRED", 0, "PROCESSING")
    clock.move_offset(LATE_S - 901)
    deliver_all(payment)
    verify_payment(caller=GUEST, payment_id=payment.pk, token=order.token)
    order.refresh_from_db()
    assert (order.status, order.events.filter(type="PAID").count()) == ("PAID", 1)
