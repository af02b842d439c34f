"""One payment of ours beside what its gateway tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from backend.core.money import Money
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    GatewayRefused,
    GatewayUnavailable,
    PaymentGateway,
    PaymentRef,
    RefundOutcome,
    RefundRequest,
)
from backend.payments.gateways.optional import Looks
from backend.payments.models import Operation, Payment, Refund, RefundState
from backend.payments.services.calls import ask
from backend.payments.services.ledger import Sums, sums_of

MISSING_THERE, MISSING_HERE, ANOTHER = "missing at the gateway", "missing in our ledger", "another amount"
UNKNOWN = "not told by the gateway"
DECIDED = (RefundState.SUCCEEDED, RefundState.FAILED)


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    kind: str
    gateway_id: str
    ours: str = ""
    theirs: str = ""


def differences_of(payment: Payment) -> Iterator[Difference]:
    """Asks the gateway what it took and gave back; each call is written down. Changes no payment."""
    sums = sums_of(payment)
    try:
        report = ask(payment, Operation.VERIFY, _look)
    except (GatewayUnavailable, GatewayRefused) as error:
        yield Difference(UNKNOWN, "CAPTURE", _name(payment), theirs=str(error))
        return
    yield from _taken(payment, sums, report)
    if report is None:
        return
    returned = _returned(report)
    if returned is not None:
        yield from _compared("REFUND", _name(payment), sums.refunded, returned, payment.currency, report.currency)
        return
    for refund in Refund.objects.filter(payment=payment, state__in=DECIDED).exclude(reference="").order_by("pk"):
        yield from _refund(payment, refund)


def written(amount: int, currency: str) -> str:
    return f"{Money(amount, currency).amount} {currency}"


def _look(gateway: PaymentGateway, ref: PaymentRef) -> ChargeReport | None:
    return cast(Looks, gateway).look(ref) if gateway.capabilities.looks else gateway.verify(ref)


def _name(payment: Payment) -> str:
    return payment.capture_id or payment.reference or str(payment.pk)


def _taken(payment: Payment, sums: Sums, report: ChargeReport | None) -> Iterator[Difference]:
    told = 0
    if report is not None and report.state is ChargeState.SUCCEEDED:
        told = report.amount if report.amount_captured is None else report.amount_captured
    theirs = report.currency if report else payment.currency
    name = report.capture_id if report and report.capture_id else _name(payment)
    yield from _compared("CAPTURE", name, sums.captured, told, payment.currency, theirs)


def _returned(report: ChargeReport) -> int | None:
    """None where the gateway does not tell it with the payment."""
    if report.refunds:
        return sum(each.amount for each in report.refunds if each.outcome is RefundOutcome.SUCCEEDED)
    return report.amount_refunded


def _refund(payment: Payment, refund: Refund) -> Iterator[Difference]:
    asked = RefundRequest(refund.pk, refund.amount, refund.currency, reference=refund.reference)
    try:
        found = ask(payment, Operation.FIND_REFUND, lambda gateway, ref: gateway.find_refund(ref, asked), refund=refund)
    except (GatewayUnavailable, GatewayRefused) as error:
        yield Difference(UNKNOWN, "REFUND", refund.reference, theirs=str(error))
        return
    ours = refund.amount if refund.state == RefundState.SUCCEEDED else 0
    theirs = found.amount if found and found.outcome is RefundOutcome.SUCCEEDED else 0
    currency = found.currency if found else refund.currency
    yield from _compared("REFUND", refund.reference, ours, theirs, refund.currency, currency)


def _compared(
    kind: str, gateway_id: str, ours: int, theirs: int, our_currency: str, their_currency: str
) -> Iterator[Difference]:
    have = written(ours, our_currency) if ours else ""
    said = written(theirs, their_currency) if theirs else ""
    if have != said:
        what = ANOTHER if have and said else MISSING_THERE if have else MISSING_HERE
        yield Difference(what, kind, gateway_id, ours=have, theirs=said)
