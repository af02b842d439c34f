"""The sandbox as a gateway of ours: what a real one's module does, against `backend.payments.sandbox`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import orjson
from django.conf import settings

from backend.payments.gateways.base import (
    Account,
    Capabilities,
    CaptureMode,
    ChargeReport,
    ChargeState,
    DisputeReport,
    DisputeState,
    ErrorCode,
    Flow,
    GatewayMessage,
    GatewayRefused,
    IncomingMessage,
    Method,
    PaymentRef,
    RefundOutcome,
    RefundRefused,
    RefundReport,
    RefundRequest,
    SignatureInvalid,
    Started,
    StartRequest,
)
from backend.payments.gateways.optional import Finding, ReportLine
from backend.payments.models import SandboxCharge, SandboxRefund
from backend.payments.sandbox import charges, signing
from backend.payments.sandbox.scenarios import Scenario, misreport


class SandboxGateway:
    """Moves no money. Takes every currency."""

    id = "sandbox"
    name = "Sandbox"
    merchant_account = ""
    capabilities = Capabilities(
        flow=Flow.REDIRECT,
        manual_capture=True,
        partial_capture=True,
        cancel=True,
        disputes=True,
        reports=True,
        checks=True,
        play_money=True,
    )

    reported = frozenset({"CAPTURE", "REFUND"})

    def __init__(self, account: Account) -> None:
        self.account = account

    def start(self, request: StartRequest) -> Started:
        charge = charges.create(
            merchant_reference=str(request.payment_id),
            amount=request.amount,
            currency=request.currency,
            description=request.order_number,
            return_url=request.return_url,
            scenario=request.scenario,
            manual_capture=request.capture is CaptureMode.MANUAL,
        )
        url = f"{settings.PUBLIC_URL}/sandbox/pay/{charge.pk}/"
        return Started(reference=charge.pk, next_action={"type": "REDIRECT", "url": url})

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        charge = SandboxCharge.objects.filter(merchant_reference=str(payment.payment_id)).first()
        return None if charge is None else _report(charge)

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        try:
            return _report(charges.capture(charge_id=payment.reference, amount=amount))
        except charges.Refused as error:
            raise GatewayRefused(str(error), code=ErrorCode.INVALID_REQUEST) from error

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        try:
            return _report(charges.cancel(charge_id=payment.reference))
        except charges.Refused as error:
            raise GatewayRefused(str(error), code=ErrorCode.INVALID_REQUEST) from error

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        try:
            return _refund_report(
                charges.refund(charge_id=payment.reference, amount=refund.amount, idempotency_key=refund.key)
            )
        except charges.Refused as error:
            raise RefundRefused(str(error), code=ErrorCode.REFUND_TOO_LARGE) from error

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        made = SandboxRefund.objects.select_related("charge").filter(idempotency_key=refund.key).first()
        return None if made is None else _refund_report(made)

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        header = message.headers.get(signing.HEADER, "")
        if not signing.is_authentic(message.body, header, received_at=message.received_at):
            raise SignatureInvalid
        return self.read_webhook(message)

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        try:
            sent = orjson.loads(message.body)
            charge = sent["charge"]
            report = ChargeReport(
                reference=str(charge["id"]),
                payment_id=str(charge["merchant_reference"]),
                state=ChargeState(sent["state"]),
                amount=_whole(charge["amount"]),
                currency=str(charge["currency"]),
                error_code=str(charge["error_code"]),
                error_message=str(charge["error_message"]),
                method=Method.CARD,
                disputes=_disputes(sent),
            )
            what = "dispute" if report.disputes else report.state.value.lower()
            return GatewayMessage(event_id=_named(sent["id"]), report=report, kind=f"charge.{what}")
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise SignatureInvalid("signed, but not a message of ours") from error

    def is_live(self) -> bool:
        return False

    def check(self) -> Iterator[Finding]:
        yield Finding("credentials", "It needs none.")
        yield Finding("webhook secret", "Messages are signed with a secret of the shop's own.")

    def report_days(self, first: date, last: date) -> list[ReportLine]:
        begin = datetime.combine(first, time(), UTC)
        made = SandboxCharge.objects.filter(captured__gt=0, finished_at__date__range=(first, last))
        back = SandboxRefund.objects.select_related("charge").filter(created_at__date__range=(first, last))
        return [
            *(ReportLine("CAPTURE", each.pk, each.captured, each.currency, each.finished_at or begin) for each in made),
            *(ReportLine("REFUND", each.pk, each.amount, each.charge.currency, each.created_at) for each in back),
        ]


GATEWAY = SandboxGateway


def _whole(amount: Any) -> int:
    """Minor units as they are: half a cent is nothing to round."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError("an amount is a whole number")
    return amount


def _named(event_id: Any) -> str:
    """Messages are told apart by their ids: two without one would be taken for the same."""
    if not isinstance(event_id, str) or not event_id:
        raise TypeError("an event has an id")
    return event_id


def _disputes(sent: Mapping[str, Any]) -> tuple[DisputeReport, ...]:
    told = sent.get("dispute")
    if told is None:
        return ()
    dispute = DisputeReport(
        reference=str(told["id"]),
        state=DisputeState(told["state"]),
        amount=_whole(told["amount"]),
        currency=str(told["currency"]),
        reason=str(told["reason"]),
        respond_by=datetime.fromisoformat(told["respond_by"]),
    )
    return (dispute,)


def _report(charge: SandboxCharge) -> ChargeReport:
    state = ChargeState(charges.told(charge))
    ended = state not in (ChargeState.OPEN, ChargeState.PROCESSING)
    wrong = misreport(Scenario(charge.scenario), charge.currency) if ended else {}
    error_code = charge.error_code if ended else ""
    return ChargeReport(
        reference=charge.pk,
        payment_id=charge.merchant_reference,
        state=state,
        amount=charge.amount + wrong.get("amount_off", 0),
        currency=wrong.get("currency", charge.currency),
        error_code=error_code,
        error_message=charges.ERROR_MESSAGES.get(error_code, ""),
        amount_captured=charge.captured or None,
        amount_refunded=charge.refunded,
        method=Method.CARD,
    )


def _refund_report(refund: SandboxRefund) -> RefundReport:
    return RefundReport(
        reference=refund.pk, outcome=RefundOutcome.SUCCEEDED, amount=refund.amount, currency=refund.charge.currency
    )
