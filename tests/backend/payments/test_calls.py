"""Calls that move money: taken once after an approval, one at a time, and never repeated where that pays twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.core import clock
from backend.core.caller import GUEST
from backend.inventory.models import StockLevel
from backend.orders.models import Order
from backend.orders.queries import takes_money
from backend.orders.services import expire_unpaid_orders
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    PaymentRef,
    RefundOutcome,
    RefundReport,
    RefundRequest,
)
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import GatewayCall, Payment, PaymentTransaction, Refund, SandboxRefund
from backend.payments.patience import REFUND_DOUBTED
from backend.payments.services import capturing, execute_refund, request_refund, retry_silent_refunds, verify_payment
from backend.payments.services.calls import LEASE, CallRunning
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start

pytestmark = pytest.mark.django_db


def verify(payment: Payment) -> Payment:
    return verify_payment(caller=GUEST, payment_id=payment.pk, token=payment.order.token)


def paid() -> Payment:
    payment = start(make_order())
    press(payment)
    deliver_all(payment)
    payment.refresh_from_db()
    return payment


# What buyers approve ------------------------------------------------------------------------------


class Approving:
    """A gateway whose buyers approve, and which takes the money when it is told to."""

    def __init__(self) -> None:
        self.state = ChargeState.APPROVED
        self.captures = self.tries = 0
        self.refusal: GatewayRefused | None = None
        self.lost = False

    def report(self, payment: PaymentRef) -> ChargeReport:
        return ChargeReport(
            reference=payment.reference,
            payment_id=str(payment.payment_id),
            state=self.state,
            amount=payment.amount,
            currency=payment.currency,
            capture_id="cap_1" if self.state is ChargeState.SUCCEEDED else "",
        )

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        self.tries += 1
        if self.refusal:
            raise self.refusal
        self.captures += 1
        self.state = ChargeState.SUCCEEDED
        if self.lost:
            raise GatewayUnavailable("lost")
        return self.report(payment)


@pytest.fixture
def approving(monkeypatch: pytest.MonkeyPatch) -> Approving:
    gateway = Approving()
    monkeypatch.setattr(SandboxGateway, "verify", lambda self, payment: gateway.report(payment))
    monkeypatch.setattr(
        SandboxGateway, "capture", lambda self, payment, *, amount: gateway.capture(payment, amount=amount)
    )
    return gateway


def test_what_the_buyer_approved_is_taken_at_once_and_once(approving: Approving) -> None:
    order = make_order()
    payment = start(order)
    for _ in range(2):
        verify(payment)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.capture_id, approving.captures) == ("PAID", "cap_1", 1)
    assert list(GatewayCall.objects.order_by("pk").values_list("operation", "outcome")) == [
        ("START", "ANSWERED"),
        ("VERIFY", "ANSWERED"),
        ("CAPTURE", "ANSWERED"),
    ]


def test_a_lost_answer_to_the_taking_is_looked_up(approving: Approving) -> None:
    payment = start(make_order())
    approving.lost = True
    with pytest.raises(Exception, match="did not answer"):
        verify(payment)
    payment.refresh_from_db()
    assert payment.state == "PROCESSING"
    verify(payment)
    assert (Order.objects.get().status, approving.captures) == ("PAID", 1)


@pytest.mark.parametrize("over", ["expired", "paid"])
def test_nothing_is_taken_for_an_order_that_cannot_take_it(approving: Approving, over: str) -> None:
    order = make_order()
    payment = start(order)
    if over == "expired":
        clock.move_offset(901)
        expire_unpaid_orders()
        StockLevel.objects.update(on_hand=0)
    else:
        Order.objects.update(status="PAID", paid=order.total)
    verify(payment)
    payment.refresh_from_db()
    assert (payment.state, approving.captures) == ("CANCELLED", 0)
    assert not PaymentTransaction.objects.exists()


@pytest.mark.parametrize("really", [ChargeState.APPROVED, ChargeState.SUCCEEDED])
def test_a_refusal_to_take_is_looked_into(approving: Approving, really: ChargeState) -> None:
    """ "Already captured" is a refusal too: only the gateway's own state says what it means."""
    payment = start(make_order())
    approving.refusal = GatewayRefused("E7 (debug id 9)", code=ErrorCode.INSUFFICIENT_FUNDS, gateway_code="E7")
    original = approving.capture

    def capture(asked: PaymentRef, *, amount: int) -> ChargeReport:
        approving.state = really
        return original(asked, amount=amount)

    approving.capture = capture  # type: ignore[method-assign]
    verify(payment)
    payment.refresh_from_db()
    if really is ChargeState.SUCCEEDED:
        assert payment.state == "SUCCEEDED"
    else:
        assert (payment.state, payment.error_code, payment.gateway_code) == ("FAILED", "INSUFFICIENT_FUNDS", "E7")
        assert payment.error_message == "The payment was declined."
        assert GatewayCall.objects.filter(message="E7 (debug id 9)").exists()


# One at a time ------------------------------------------------------------------------------------


def running(
    payment: Payment, refund: Refund | None = None, *, ago: timedelta = timedelta(), operation: str = "REFUND"
) -> None:
    GatewayCall.objects.create(payment=payment, refund=refund, operation=operation, started_at=clock.now() - ago)


def test_who_is_back_while_a_message_takes_the_money_hears_what_is_known(approving: Approving) -> None:
    payment = start(make_order())
    running(payment, operation="CAPTURE")
    assert verify(payment).state == "PROCESSING"
    assert approving.tries == 0


def between_asking_and_taking(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Once, another process is quicker: two often hear of an approval at the same time."""
    acts = [act]

    def look(order: Order, *, amount: int) -> bool:
        if acts:
            acts.pop()()
        return takes_money(order, amount=amount)

    monkeypatch.setattr(capturing, "takes_money", look)


def test_what_another_was_refused_meanwhile_is_not_asked_for_again(
    approving: Approving, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = start(make_order())
    approving.refusal = GatewayRefused("Declined.", code=ErrorCode.CARD_DECLINED)
    between_asking_and_taking(monkeypatch, lambda: verify(payment))
    assert verify(payment).state == "FAILED"
    assert approving.tries == 1


def test_what_another_has_taken_and_not_booked_yet_is_not_taken_again(
    approving: Approving, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = start(make_order())

    def take() -> None:
        moment = clock.now()
        GatewayCall.objects.create(
            payment=payment, operation="CAPTURE", outcome="ANSWERED", started_at=moment, finished_at=moment
        )

    between_asking_and_taking(monkeypatch, take)
    assert verify(payment).state == "PROCESSING"
    assert approving.tries == 0
    assert verify(payment).state == "SUCCEEDED"  # asked anew, it is taken
    assert approving.tries == 1


def test_a_refund_that_runs_is_left_alone_and_another_of_the_payment_waits() -> None:
    payment = paid()
    first, second = (request_refund(payment, amount=100, reason="r") for _ in range(2))
    running(payment, first)
    execute_refund(first.pk)
    with pytest.raises(CallRunning):
        execute_refund(second.pk)
    assert not SandboxRefund.objects.exists()


def test_a_call_whose_process_died_does_not_hold_up_the_next() -> None:
    payment = paid()
    refund = request_refund(payment, amount=100, reason="r")
    running(payment, refund, ago=LEASE)
    execute_refund(refund.pk)
    assert SandboxRefund.objects.count() == 1


# Gateways without keys ----------------------------------------------------------------------------


class Keyless:
    """A gateway that pays as often as it is asked, and tells of refunds, or cannot."""

    def __init__(self) -> None:
        self.made = 0
        self.lost = True
        self.can_tell = True
        self.pending = False

    def refund(self, gateway: Any, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        self.made += 1
        if self.lost:
            raise GatewayUnavailable("lost")
        return self.report(refund)

    def find(self, gateway: Any, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        if not self.can_tell:
            raise GatewayUnavailable("cannot tell")
        return self.report(refund) if self.made else None

    def report(self, refund: RefundRequest) -> RefundReport:
        outcome = RefundOutcome.PENDING if self.pending else RefundOutcome.SUCCEEDED
        return RefundReport(reference="re_1", outcome=outcome, amount=refund.amount, currency=refund.currency)


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> Keyless:
    gateway = Keyless()
    capabilities = replace(SandboxGateway.capabilities, idempotent_refunds=False)
    monkeypatch.setattr(SandboxGateway, "capabilities", capabilities)
    monkeypatch.setattr(SandboxGateway, "refund", lambda self, *asked: gateway.refund(self, *asked))
    monkeypatch.setattr(SandboxGateway, "find_refund", lambda self, *asked: gateway.find(self, *asked))
    return gateway


def lost_refund() -> Refund:
    refund = request_refund(paid(), amount=100, reason="r")
    with pytest.raises(GatewayUnavailable):
        execute_refund(refund.pk)
    return refund


def test_a_lost_refund_is_looked_for_and_not_made_twice(keyless: Keyless) -> None:
    refund = lost_refund()
    execute_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, refund.reference, keyless.made) == ("SUCCEEDED", "re_1", 1)


def test_a_refund_that_was_surely_never_made_is_made(keyless: Keyless) -> None:
    refund = lost_refund()
    keyless.made, keyless.lost = 0, False
    execute_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, keyless.made) == ("SUCCEEDED", 1)


def test_a_refund_that_nobody_can_tell_of_is_left_to_people(keyless: Keyless) -> None:
    refund = lost_refund()
    keyless.can_tell = False
    for _ in range(3):
        with pytest.raises(GatewayUnavailable):
            execute_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.state == "PENDING"
    clock.move_offset(REFUND_DOUBTED.total_seconds())
    retry_silent_refunds()
    refund.refresh_from_db()
    assert (refund.state, keyless.made) == ("REVIEW", 1)
    types = Order.objects.get().events.order_by("sequence").values_list("type", flat=True)
    assert list(types)[-1] == "PAYMENT_FLAGGED"
    execute_refund(refund.pk)
    assert keyless.made == 1


def test_a_refund_that_takes_days_is_asked_about_until_it_is_made(keyless: Keyless) -> None:
    keyless.lost, keyless.pending = False, True
    refund = request_refund(paid(), amount=100, reason="r")
    for _ in range(3):
        execute_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, refund.reference, keyless.made) == ("PENDING", "re_1", 1)
    keyless.pending = False
    execute_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, keyless.made, Order.objects.get().refunded) == ("SUCCEEDED", 1, 100)
