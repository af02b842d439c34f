"""Paymob's transactions as reports of ours. One order has many: declines, the payment, and a child for each refund."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from backend.core import clock
from backend.payments.gateways.amounts import to_major, to_minor
from backend.payments.gateways.base import ChargeReport, ChargeState, ErrorCode, GatewayUnavailable, Method, PaymentRef

GRACE = timedelta(minutes=15)
_DECLINED = {
    "INSUFFICIENT_FUNDS": ErrorCode.INSUFFICIENT_FUNDS,
    "EXPIRED_CARD": ErrorCode.CARD_EXPIRED,
    "AUTHENTICATION_FAILED": ErrorCode.AUTHENTICATION_FAILED,
}
_METHODS = {"card": Method.CARD, "wallet": Method.MOBILE, "cash_present": Method.CASH, "aggregator": Method.CASH}
_OUR_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Rules:
    """What of an account its transactions have to fit."""

    integrations: frozenset[str]
    """Empty where some are given by name: then any will do."""
    live: bool | None
    digits: int | None
    """How many digits its "cents" have; None for as many as the currency has."""
    expires: timedelta

    def fits(self, transaction: Mapping[str, Any]) -> bool:
        known = not self.integrations or str(transaction.get("integration_id")) in self.integrations
        live = transaction.get("is_live")
        return known and (self.live is None or live is None or flag(live) == self.live)

    def cents(self, amount: int, currency: str) -> int:
        """Raises ValueError for an amount that needs more digits."""
        written = Decimal(to_major(amount, currency, digits=self.digits))
        exponent = written.as_tuple().exponent
        return int(written.scaleb(-exponent if isinstance(exponent, int) else 0))

    def minor(self, cents: Any, currency: str) -> int:
        """Raises GatewayUnavailable for what is no amount."""
        if isinstance(cents, bool) or not re.fullmatch(r"\d{1,15}", str(cents)):
            raise GatewayUnavailable("paymob tells no amount")
        ours = len(to_major(0, currency, digits=self.digits).partition(".")[2])
        try:
            return to_minor(Decimal(int(cents)).scaleb(-ours), currency)
        except ValueError as error:
            raise GatewayUnavailable("paymob tells no amount") from error


def flag(value: Any) -> bool:
    """Some answers have booleans as texts."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def order_of(transaction: Mapping[str, Any]) -> str:
    order = transaction.get("order")
    return str(order.get("id", "") if isinstance(order, Mapping) else order or "")


def merchant_order_of(transaction: Mapping[str, Any]) -> str:
    order = transaction.get("order")
    told = order.get("merchant_order_id") if isinstance(order, Mapping) else None
    return str(told or transaction.get("merchant_order_id") or "")


def unwrapped(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Bare, or in the envelope that messages have."""
    inner = answer.get("obj")
    return inner if isinstance(inner, Mapping) else answer


def report(payment: PaymentRef, transaction: Mapping[str, Any], rules: Rules) -> ChargeReport:
    """What Paymob says of a payment: `transaction` is no child."""
    currency = str(transaction.get("currency") or "")
    amount = rules.minor(transaction.get("amount_cents"), currency)
    state, captured, returned = _state(transaction, amount, rules)
    ours = _OUR_ID.match(merchant_order_of(transaction))
    error, message, code = _error(transaction) if state is ChargeState.OPEN else (None, "", "")
    if error and _is_over(payment, rules):
        state = ChargeState.FAILED
    if state is ChargeState.CANCELLED:
        error, message = ErrorCode.EXPIRED, "The money that was set aside was given up."
    moved = state in (ChargeState.SUCCEEDED, ChargeState.AUTHORIZED)
    return ChargeReport(
        reference=order_of(transaction),
        payment_id=ours[0] if ours else str(payment.payment_id),
        state=state,
        amount=amount,
        currency=currency,
        error_code=error.value if error else "",
        error_message=message,
        gateway_code=code,
        amount_captured=captured,
        amount_refunded=returned,
        capture_id=str(transaction.get("id") or "") if moved else "",
        method=_method(transaction) if moved else None,
        merchant_account="" if rules.fits(transaction) else "another integration, or the other mode",
        excerpt=_excerpt(transaction),
    )


def nothing_yet(payment: PaymentRef, rules: Rules) -> ChargeReport:
    """No transaction: the buyer has not tried, and cannot any more once the intention has expired."""
    over = _is_over(payment, rules)
    return ChargeReport(
        reference=payment.reference,
        payment_id=str(payment.payment_id),
        state=ChargeState.CANCELLED if over else ChargeState.OPEN,
        amount=payment.amount,
        currency=payment.currency,
        error_code=ErrorCode.EXPIRED.value if over else "",
        error_message="The payment page has expired." if over else "",
    )


def _state(transaction: Mapping[str, Any], amount: int, rules: Rules) -> tuple[ChargeState, int | None, int | None]:
    """The state, what was taken, and what went back; None where that is not told."""
    if not flag(transaction.get("success")) or flag(transaction.get("pending")):
        return ChargeState.OPEN, None, None
    currency = str(transaction.get("currency"))
    taken = amount
    if flag(transaction.get("is_auth")):
        taken = rules.minor(transaction.get("captured_amount") or 0, currency)
        if flag(transaction.get("is_captured")) and not taken:
            taken = amount
    if not taken:
        voided = flag(transaction.get("is_voided"))
        return ChargeState.CANCELLED if voided else ChargeState.AUTHORIZED, None, None
    told = transaction.get("refunded_amount_cents")
    returned = None if told is None else rules.minor(told, currency)
    if flag(transaction.get("is_voided")):
        returned = taken  # a payment that is voided on its day goes back whole
    return ChargeState.SUCCEEDED, taken, returned


def _error(transaction: Mapping[str, Any]) -> tuple[ErrorCode | None, str, str]:
    """A decline ends nothing: the buyer can try again on the same page, and the order can be paid later."""
    if flag(transaction.get("pending")):
        return None, "", ""
    data = transaction.get("data")
    told = data if isinstance(data, Mapping) else {}
    code = str(told.get("txn_response_code") or transaction.get("txn_response_code") or "declined")
    return _DECLINED.get(code.upper(), ErrorCode.CARD_DECLINED), "The payment was declined.", code


def _is_over(payment: PaymentRef, rules: Rules) -> bool:
    begun = payment.created_at
    return begun is not None and clock.now() > begun + rules.expires + GRACE


def _method(transaction: Mapping[str, Any]) -> Method:
    source = transaction.get("source_data")
    kind = str(source.get("type") if isinstance(source, Mapping) else transaction.get("source_data.type"))
    return _METHODS.get(kind.lower(), Method.OTHER)


def _excerpt(transaction: Mapping[str, Any]) -> dict[str, str]:
    source = transaction.get("source_data")
    source = source if isinstance(source, Mapping) else {}
    kept = {
        name: str(transaction[name])[:100] for name in ("id", "integration_id", "created_at") if name in transaction
    }
    if source.get("sub_type"):
        kept["card"] = f"{source['sub_type']} {str(source.get('pan') or '')[-4:]}".strip()[:60]
    return kept
