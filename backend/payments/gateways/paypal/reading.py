"""PayPal's orders, refunds and disputes, in our words. What cannot be read tells nothing: GatewayUnavailable."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from backend.payments.gateways.amounts import to_major, to_minor
from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    DisputeReport,
    DisputeState,
    ErrorCode,
    GatewayUnavailable,
    Method,
    RefundOutcome,
    RefundReport,
)
from backend.payments.gateways.paypal.api import ID
from backend.payments.gateways.paypal.codes import PROCESSOR_CODES

Read = TypeVar("Read")
WITHOUT_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
"""PayPal takes these in whole units only, whatever ISO 4217 says."""
APPROVE_LINKS = ("approve", "payer-action")
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
DOUBTED = ("CHARGEBACK", "BUYER_COMPLAINT")
CAPTURE_STATES = {
    **dict.fromkeys(TAKEN, ChargeState.SUCCEEDED),
    "PENDING": ChargeState.PROCESSING,
    "DECLINED": ChargeState.FAILED,
    "FAILED": ChargeState.FAILED,
}
AUTHORIZATION_STATES = {
    "CREATED": ChargeState.AUTHORIZED,
    "PARTIALLY_CAPTURED": ChargeState.AUTHORIZED,
    "PENDING": ChargeState.PROCESSING,
    "CAPTURED": ChargeState.PROCESSING,
    "DENIED": ChargeState.FAILED,
    "VOIDED": ChargeState.CANCELLED,
    "EXPIRED": ChargeState.CANCELLED,
}
ORDER_STATES = {
    "CREATED": ChargeState.OPEN,
    "SAVED": ChargeState.OPEN,
    "PAYER_ACTION_REQUIRED": ChargeState.OPEN,
    "APPROVED": ChargeState.APPROVED,
    "VOIDED": ChargeState.CANCELLED,
    "COMPLETED": ChargeState.PROCESSING,
}
"""While nothing was taken or set aside yet."""
REFUND_STATES = {
    "COMPLETED": RefundOutcome.SUCCEEDED,
    "PENDING": RefundOutcome.PENDING,
    "FAILED": RefundOutcome.FAILED,
    "CANCELLED": RefundOutcome.FAILED,
}
OUTCOMES = {
    "RESOLVED_BUYER_FAVOUR": DisputeState.LOST,
    "ACCEPTED": DisputeState.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeState.WON,
    "RESOLVED_WITH_PAYOUT": DisputeState.WON,  # PayPal pays the buyer out of its own pocket
    "CANCELED_BY_BUYER": DisputeState.WON,
    "DENIED": DisputeState.WON,
}
METHODS = {
    **dict.fromkeys(("paypal", "venmo", "apple_pay", "google_pay"), Method.WALLET),
    "card": Method.CARD,
    **dict.fromkeys(("bancontact", "eps", "giropay", "ideal", "p24", "sofort", "trustly", "blik"), Method.BANK),
}
_CAPTURE_LINK = re.compile(r"/v2/payments/captures/([A-Z0-9]{1,36})/?$")


def money(amount: int, currency: str) -> dict[str, str]:
    """Minor units as PayPal writes them. Raises ValueError for what it cannot take: half a yen, 10.50 forints."""
    digits = 0 if currency in WITHOUT_DECIMALS else None
    return {"currency_code": currency, "value": to_major(amount, currency, digits=digits)}


def sensible(read: Callable[[], Read]) -> Read:
    """Raises GatewayUnavailable for an answer that lacks what it should have."""
    try:
        return read()
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise GatewayUnavailable("PayPal made no sense: an answer lacks what it should have") from None


def approve_link(order: Mapping[str, Any]) -> dict[str, str] | None:
    """Where the buyer approves; its name depends on how the order was made."""
    for link in order.get("links") or ():
        href = str(link["href"])
        if link["rel"] in APPROVE_LINKS and href.startswith(("https://", "http://")):
            return {"type": "REDIRECT", "url": href}
    return None


def our_ids(custom_id: object) -> tuple[str, str]:
    """Payment and refund, as we gave them: "<payment>" or "<payment>.<refund>". Empty where they are not ours."""
    first, _, second = custom_id.partition(".") if isinstance(custom_id, str) else ("", "", "")
    return _uuid(first), _uuid(second)


def charge_report(order: Mapping[str, Any]) -> ChargeReport:
    """An order as a whole, with the money that moved: an order can be COMPLETED whose capture still is PENDING."""
    unit = order["purchase_units"][0]
    currency = unit["amount"]["currency_code"]
    payments = unit.get("payments") or {}
    told = ChargeReport(
        reference=_id(order),
        payment_id=our_ids(unit.get("custom_id"))[0],
        state=ChargeState.OPEN,
        amount=_minor(unit["amount"]),
        currency=currency,
        merchant_account=str((unit.get("payee") or {}).get("merchant_id") or ""),
        method=_method(order.get("payment_source") or {}),
        refunds=tuple(refund_report(each) for each in payments.get("refunds") or ()),
        data={"intent": str(order["intent"])},
        excerpt={"order": str(order["status"])},
    )
    captures, authorizations = payments.get("captures") or [], payments.get("authorizations") or []
    if captures:
        return _with_captures(told, captures)
    if authorizations:
        return _with_authorization(told, authorizations[-1])
    return replace(told, state=ORDER_STATES[order["status"]], next_action=approve_link(order))


def refund_report(refund: Mapping[str, Any]) -> RefundReport:
    outcome = REFUND_STATES[refund["status"]]
    failed = outcome is RefundOutcome.FAILED
    return RefundReport(
        reference=_id(refund),
        outcome=outcome,
        amount=_minor(refund["amount"]),
        currency=refund["amount"]["currency_code"],
        refund_id=our_ids(refund.get("custom_id"))[1],
        error_code=ErrorCode.NOT_REFUNDABLE if failed else None,
        gateway_code=_reason(refund) or (str(refund["status"]) if failed else ""),
        error_message="PayPal did not give the money back." if failed else "",
    )


def dispute_data(resource: Mapping[str, Any]) -> dict[str, str]:
    """What `dispute_of` needs, as words that fit a message's data. Raises KeyError and the like."""
    amount = resource["dispute_amount"]
    outcome = (resource.get("dispute_outcome") or {}).get("outcome_code", "")
    state = OUTCOMES.get(outcome, DisputeState.OPEN) if resource.get("status") == "RESOLVED" else DisputeState.OPEN
    return {
        "dispute": str(resource["dispute_id"]),
        "dispute_state": state.value,
        "dispute_amount": str(_minor(amount)),
        "dispute_currency": str(amount["currency_code"]),
        "dispute_reason": str(resource.get("reason") or ""),
        "dispute_until": str(resource.get("seller_response_due_date") or ""),
    }


def dispute_of(data: Mapping[str, str]) -> tuple[DisputeReport, ...]:
    """The dispute that a message has told of, if it did."""
    if "dispute" not in data:
        return ()
    return (
        DisputeReport(
            reference=data["dispute"],
            state=DisputeState(data["dispute_state"]),
            amount=int(data["dispute_amount"]),
            currency=data["dispute_currency"],
            reason=data["dispute_reason"],
            respond_by=_moment(data["dispute_until"]),
        ),
    )


def capture_above(resource: Mapping[str, Any]) -> str:
    """The capture that a refund or reversal belongs to, by its link; empty where it has none."""
    for link in resource.get("links") or ():
        found = _CAPTURE_LINK.search(str(link.get("href", "")))
        if link.get("rel") == "up" and found:
            return found[1]
    return ""


def _with_captures(told: ChargeReport, captures: list[dict[str, Any]]) -> ChargeReport:
    """What was taken before what waits before what failed."""
    rank = [ChargeState.SUCCEEDED, ChargeState.PROCESSING, ChargeState.FAILED]
    best = min(captures, key=lambda each: rank.index(CAPTURE_STATES[each["status"]]))
    state = CAPTURE_STATES[best["status"]]
    told = replace(
        told,
        state=state,
        capture_id=_id(best),
        currency=best["amount"]["currency_code"],
        held=_reason(best) in DOUBTED,
        excerpt={**told.excerpt, "capture": str(best["status"]), "reason": _reason(best)},
    )
    if state is ChargeState.SUCCEEDED:
        taken = [each for each in captures if each["status"] in TAKEN]
        return replace(
            told,
            amount_captured=sum(_minor(each["amount"]) for each in taken),
            fee=_fees(taken, told.currency),
        )
    return _failed(told, best) if state is ChargeState.FAILED else told


def _with_authorization(told: ChargeReport, authorization: Mapping[str, Any]) -> ChargeReport:
    state = AUTHORIZATION_STATES[authorization["status"]]
    told = replace(
        told,
        state=state,
        currency=authorization["amount"]["currency_code"],
        data={**told.data, "authorization": _id(authorization)},
        excerpt={**told.excerpt, "authorization": str(authorization["status"]), "reason": _reason(authorization)},
    )
    if state is ChargeState.CANCELLED:
        return replace(told, error_code=ErrorCode.EXPIRED.value, gateway_code=str(authorization["status"]))
    return _failed(told, authorization) if state is ChargeState.FAILED else told


def _failed(told: ChargeReport, part: Mapping[str, Any]) -> ChargeReport:
    answer = str((part.get("processor_response") or {}).get("response_code") or "")
    return replace(
        told,
        error_code=PROCESSOR_CODES.get(answer, ErrorCode.CARD_DECLINED).value,
        error_message="PayPal declined the payment.",
        gateway_code=answer or _reason(part) or str(part["status"]),
    )


def _fees(captures: Iterable[Mapping[str, Any]], currency: str) -> int | None:
    fees = [(each.get("seller_receivable_breakdown") or {}).get("paypal_fee") for each in captures]
    return sum(_minor(fee) for fee in fees if fee and fee["currency_code"] == currency) or None


def _method(source: Mapping[str, Any]) -> Method:
    return next((METHODS[each] for each in source if each in METHODS), Method.OTHER if source else Method.WALLET)


def _reason(part: Mapping[str, Any]) -> str:
    return str((part.get("status_details") or {}).get("reason") or "")


def _minor(amount: Mapping[str, Any]) -> int:
    """Money comes as text. Raises ValueError for a number: it went through a float on its way."""
    if not isinstance(amount["value"], str):
        raise ValueError("an amount is text")
    return to_minor(amount["value"], str(amount["currency_code"]))


def _id(part: Mapping[str, Any]) -> str:
    """It will stand in an address."""
    if not ID.fullmatch(part["id"]):
        raise ValueError("not an id of PayPal's")
    return str(part["id"])


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
