"""The admin's time line and decisions, messages settled once more, and days beside the gateway's report."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.core import clock
from backend.core.caller import Role
from backend.core.errors import DomainError
from backend.core.models import OutboxEvent
from backend.orders.models import Order
from backend.payments.gateways.accounts import Account
from backend.payments.gateways.base import ChargeState, ErrorCode, GatewayRefused, GatewayUnavailable, Started
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.models import GatewayCall, Payment, PaymentTransaction, Refund, SandboxCharge, WebhookMessage
from backend.payments.services import apply_report, execute_refund, request_refund, starting
from backend.payments.timeline import timeline_of
from tests.backend.payments.test_ledger import report_of
from tests.factories.accounts import make_user
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start

pytestmark = pytest.mark.django_db


def staff(role: Role | None) -> Client:
    client = Client()
    client.force_login(make_user(role=role, is_staff=True))
    return client


def paid() -> Payment:
    payment = start(make_order())
    press(payment)
    deliver_all(payment)
    payment.refresh_from_db()
    return payment


def flagged() -> Payment:
    payment = start(make_order(), scenario="WRONG_AMOUNT")
    press(payment)
    deliver_all(payment)
    return payment


def page(payment: Payment) -> str:
    return f"/admin/payments/payment/{payment.pk}/"


# The time line ------------------------------------------------------------------------------------


def test_the_time_line_has_every_call_message_step_and_movement() -> None:
    payment = paid()
    execute_refund(request_refund(payment, amount=100, reason="Broken.").pk)
    moments = timeline_of(payment)
    assert moments == sorted(moments, key=lambda moment: moment.at)
    told = [f"{moment.kind} {moment.what}" for moment in moments]
    for expected in (
        "BEGUN $",
        "CALL START: ANSWERED",
        "STEP PENDING → REQUIRES_ACTION",
        "WEBHOOK charge.succeeded: PROCESSED",
        "STEP REQUIRES_ACTION → SUCCEEDED",
        "MONEY CAPTURE $",
        "REFUND $1.00: SUCCEEDED",
        "CALL REFUND: ANSWERED",
        "MONEY REFUND $1.00",
        "STEP SUCCEEDED → PARTIALLY_REFUNDED",
    ):
        assert [each for each in told if each.startswith(expected)], expected


@pytest.mark.parametrize("calls", [1, 20])
def test_a_longer_time_line_takes_no_more_statements(calls: int) -> None:
    payment = paid()
    for _ in range(calls):
        GatewayCall.objects.create(payment=payment, operation="VERIFY", started_at=clock.now())
    with CaptureQueriesContext(connection) as captured:
        timeline_of(payment)
    assert len(captured) == 6


def test_a_gateways_words_are_shown_and_never_run() -> None:
    payment = paid()
    GatewayCall.objects.create(
        payment=payment, operation="VERIFY", outcome="REFUSED", message="<script>x</script>", started_at=clock.now()
    )
    text = staff(Role.ORDER_MANAGER).get(page(payment), follow=True).content.decode()
    assert "&lt;script&gt;" in text
    assert "<script>x" not in text


# Decisions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chosen", "state"), [("accept", "SUCCEEDED"), ("refund", "SUCCEEDED")])
def test_a_flagged_payment_is_decided_in_the_admin(chosen: str, state: str) -> None:
    payment, client = flagged(), staff(Role.ORDER_MANAGER)
    assert "Decide about this payment" in client.get(page(payment), follow=True).content.decode()
    assert client.get(f"{page(payment)}act/").status_code == 200
    answer = client.post(f"{page(payment)}act/", {"act": chosen, "reason": ""})
    assert "Say why" in answer.content.decode()
    assert client.post(f"{page(payment)}act/", {"act": chosen, "reason": "I asked them."}).status_code == 302
    payment.refresh_from_db()
    assert (payment.state, payment.counted) == (state, chosen == "accept")
    answer = client.post(f"{page(payment)}act/", {"act": chosen, "reason": "Again."})
    assert "nothing to decide" in answer.content.decode()
    assert PaymentTransaction.objects.filter(kind="CAPTURE").count() == 1


def test_who_only_looks_is_offered_no_decision() -> None:
    payment, client = flagged(), staff(Role.SUPPORT)
    text = client.get(page(payment), follow=True).content.decode()
    assert "FLAGGED" in text
    assert "Decide about this payment" not in text
    assert client.get(f"{page(payment)}act/").status_code == 403


@pytest.mark.parametrize(("chosen", "state"), [("capture", "SUCCEEDED"), ("cancel", "CANCELLED")])
def test_money_that_is_set_aside_is_taken_or_given_up_in_the_admin(settings: Any, chosen: str, state: str) -> None:
    settings.GATEWAYS = {"sandbox": [Account("sandbox", manual_capture=True)]}
    payment = start(make_order())
    press(payment)
    apply_report(payment.pk, report_of(payment, ChargeState.AUTHORIZED))
    answer = staff(Role.ORDER_MANAGER).post(f"{page(payment)}act/", {"act": chosen, "reason": "So it is."})
    assert answer.status_code == 302
    payment.refresh_from_db()
    assert payment.state == state


def test_a_decision_that_gets_no_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    payment = flagged()

    def deaf(self: Any, asked: Any) -> Any:
        raise GatewayUnavailable("deaf")

    monkeypatch.setattr(SandboxGateway, "verify", deaf)
    answer = staff(Role.ORDER_MANAGER).post(f"{page(payment)}act/", {"act": "accept", "reason": "r"})
    assert "did not answer" in answer.content.decode()
    payment.refresh_from_db()
    assert payment.state == "FLAGGED"


@pytest.mark.parametrize("role", [None, Role.SUPPORT, Role.PRODUCT_MANAGER])
def test_others_decide_nothing_in_the_admin(role: Role | None) -> None:
    payment = flagged()
    assert staff(role).post(f"{page(payment)}act/", {"act": "accept", "reason": "r"}).status_code == 403
    assert Client().post(f"{page(payment)}act/", {"act": "accept", "reason": "r"}).status_code == 302
    payment.refresh_from_db()
    assert payment.state == "FLAGGED"
    assert staff(Role.ORDER_MANAGER).get(f"/admin/payments/payment/{uuid4()}/act/").status_code == 404


def test_messages_are_settled_once_more_from_the_admins_list() -> None:
    paid()
    message = WebhookMessage.objects.get()
    chosen = {"action": "replay", "_selected_action": [message.pk]}
    staff(Role.SUPPORT).post("/admin/payments/webhookmessage/", chosen)
    message.refresh_from_db()
    assert message.state == "PROCESSED"
    assert staff(Role.ORDER_MANAGER).post("/admin/payments/webhookmessage/", chosen).status_code == 302
    message.refresh_from_db()
    assert message.state == "VERIFIED"
    assert OutboxEvent.objects.filter(topic="webhook.received", key=str(message.pk)).count() == 2


# A gateway that refuses to begin ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (ErrorCode.CARD_DECLINED, "PAYMENT_DECLINED"),
        (ErrorCode.INVALID_AMOUNT, "GATEWAY_UNAVAILABLE"),
        (ErrorCode.MISCONFIGURED, "GATEWAY_UNAVAILABLE"),
    ],
)
def test_a_gateway_that_refuses_to_begin_leaves_the_order_payable(
    monkeypatch: pytest.MonkeyPatch, code: ErrorCode, told: str
) -> None:
    order = make_order()

    def refuse(self: Any, request: Any) -> Any:
        raise GatewayRefused("no", code=code, gateway_code="E-17")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", refuse)
        with pytest.raises(DomainError) as refusal:
            start(order, idempotency_key="k")
    assert refusal.value.code == told
    payment = Payment.objects.get()
    assert (payment.state, payment.error_code, payment.gateway_code) == ("FAILED", code.value, "E-17")
    assert payment.error_message == "The gateway refused to begin."
    assert start(order, idempotency_key="k").pk == payment.pk
    assert start(order).state == "REQUIRES_ACTION"


def test_one_order_is_begun_to_be_paid_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "ATTEMPTS_AN_HOUR", 2)
    order = make_order()
    first, _ = start(order, idempotency_key="k"), start(order)
    with pytest.raises(DomainError) as refusal:
        start(order)
    assert refusal.value.code == "TOO_MANY_ATTEMPTS"
    assert Payment.objects.count() == 2
    assert start(order, idempotency_key="k").pk == first.pk
    assert start(make_order()).state == "REQUIRES_ACTION"
    Payment.objects.update(created_at=clock.now() - timedelta(hours=1))
    assert start(order).state == "REQUIRES_ACTION"


def test_a_gateway_that_names_another_payments_number_takes_no_money_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = start(make_order())
    order = make_order()
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", lambda *_: Started(earlier.reference, {"type": "REDIRECT", "url": "x"}))
        with pytest.raises(DomainError) as refusal:
            start(order)
    assert refusal.value.code == "GATEWAY_UNAVAILABLE"
    payment = Payment.objects.get(order=order)
    assert (payment.state, payment.reference, payment.next_action) == ("FAILED", "", None)
    earlier.refresh_from_db()
    assert earlier.state == "REQUIRES_ACTION"
    assert start(order).state == "REQUIRES_ACTION"


# Days beside the gateway's report -----------------------------------------------------------------


def reconciled(*more: str) -> str:
    out = StringIO()
    day = clock.now().date().isoformat()
    call_command("reconcile_payments", "--gateway", "sandbox", "--from", day, "--to", day, *more, stdout=out)
    return out.getvalue()


def test_days_that_agree_differ_in_nothing() -> None:
    payment = paid()
    execute_refund(request_refund(payment, amount=100, reason="Broken.").pk)
    assert reconciled() == "No differences.\n"


def test_what_differs_is_listed_by_its_id() -> None:
    changed, ours = paid(), paid()
    SandboxCharge.objects.filter(pk=changed.reference).update(captured=1)
    SandboxCharge.objects.filter(pk=ours.reference).update(captured=0)
    theirs = start(make_order())
    press(theirs)
    out = StringIO()
    day = clock.now().date().isoformat()
    with pytest.raises(CommandError) as failure:
        call_command("reconcile_payments", "--gateway", "sandbox", "--from", day, "--to", day, stdout=out)
    assert failure.value.returncode == 1
    lines = sorted(out.getvalue().splitlines())
    assert [line.partition(" (")[0] for line in lines] == [
        f"another amount: CAPTURE {changed.reference}",
        f"missing at the gateway: CAPTURE {ours.reference}",
        f"missing in our ledger: CAPTURE {theirs.reference}",
    ]


@pytest.mark.parametrize("wrong", [("--gateway", "nobody"), ("--to", "2001-01-01"), ("--account", "other")])
def test_days_and_gateways_that_there_are_not_are_refused_in_words(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        reconciled(*wrong)


def test_nothing_of_this_moves_money() -> None:
    paid()
    reconciled()
    assert (Order.objects.get().refunded, Refund.objects.count()) == (0, 0)
