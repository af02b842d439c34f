"""Stripe's objects, as dicts, in the shop's words. What is not as it should be raises KeyError and its like."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    DisputeReport,
    DisputeState,
    ErrorCode,
    Method,
    RefundOutcome,
    RefundReport,
)
from backend.payments.gateways.stripe.amounts import from_stripe
from backend.payments.gateways.stripe.codes import CANCELLATIONS, failure

Told = Mapping[str, Any]
STATES = {
    "requires_payment_method": ChargeState.OPEN,
    "requires_confirmation": ChargeState.OPEN,
    "requires_action": ChargeState.OPEN,
    "processing": ChargeState.PROCESSING,
    "requires_capture": ChargeState.AUTHORIZED,
    "succeeded": ChargeState.SUCCEEDED,
    "canceled": ChargeState.CANCELLED,
}
REFUNDS = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.SUCCEEDED,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
}
DISPUTES = {
    "won": DisputeState.WON,
    "prevented": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "lost": DisputeState.LOST,
}
"""Every other status is open."""
METHODS = {
    Method.CARD: {"card", "card_present", "interac_present"},
    Method.WALLET: {"alipay", "amazon_pay", "cashapp", "grabpay", "link", "paypal", "revolut_pay", "wechat_pay"},
    Method.MOBILE: {"blik", "mb_way", "mobilepay", "paynow", "pix", "promptpay", "swish", "twint", "upi"},
    Method.BANK: {
        *("acss_debit", "au_becs_debit", "bacs_debit", "bancontact", "customer_balance", "eps", "fpx", "giropay"),
        *("ideal", "nz_bank_account", "p24", "pay_by_bank", "sepa_debit", "sofort", "us_bank_account"),
    },
    Method.CASH: {"boleto", "konbini", "multibanco", "oxxo"},
    Method.INSTALLMENTS: {"affirm", "afterpay_clearpay", "alma", "billie", "klarna", "zip"},
}
KINDS = {kind: method for method, kinds in METHODS.items() for kind in kinds}


def charge_of(intent: Told) -> Told:
    """The latest charge, which every question of ours asks to be told in full."""
    return _object(intent, "latest_charge")


def intent_report(
    intent: Told,
    *,
    reference: str = "",
    refunds: Sequence[Told] = (),
    disputes: Sequence[Told] = (),
    publishable_key: str = "",
) -> ChargeReport:
    """What a PaymentIntent says. `reference` where the payment is known by another id: its Session's."""
    currency = str(intent["currency"]).upper()
    charge = charge_of(intent)
    state = STATES[intent["status"]]
    code, gateway_code, message = _trouble(intent, state)
    taken = from_stripe(intent["amount_received"], currency) if state is ChargeState.SUCCEEDED else None
    return ChargeReport(
        reference=reference or intent["id"],
        payment_id=str((intent.get("metadata") or {}).get("payment_id", "")),
        state=state,
        amount=from_stripe(intent["amount"], currency),
        currency=currency,
        error_code=code.value if code else "",
        error_message=message,
        gateway_code=gateway_code,
        amount_captured=taken,
        capture_id=intent["id"],
        method=method_of(_object(charge, "payment_method_details")) if charge else None,
        fee=_fee(charge, currency),
        held=_object(intent, "review").get("open") is True,
        refunds=tuple(refund_report(each) for each in refunds if not _is_release(each, intent)),
        disputes=tuple(dispute_report(each) for each in disputes),
        next_action=next_action(intent, publishable_key) if state is ChargeState.OPEN and not reference else None,
        excerpt=_excerpt(intent, charge),
    )


def session_report(session: Told, *, refunds: Sequence[Told] = (), disputes: Sequence[Told] = ()) -> ChargeReport:
    """What a Checkout Session says, and its PaymentIntent once there is one. `complete` alone is not paid."""
    intent = _object(session, "payment_intent")
    if session["status"] == "complete":
        report = intent_report(intent, reference=session["id"], refunds=refunds, disputes=disputes)
        if report.state is ChargeState.OPEN and report.error_code:  # a bank that was slow to refuse: the page is gone
            return replace(report, state=ChargeState.FAILED)
        return replace(report, state=ChargeState.PROCESSING) if report.state is ChargeState.OPEN else report
    currency = str(session["currency"]).upper()
    expired = session["status"] == "expired"
    code, gateway_code, message = _trouble(intent, ChargeState.OPEN)
    if expired:
        code, gateway_code, message = ErrorCode.EXPIRED, "expired", "The payment page has expired."
    return ChargeReport(
        reference=session["id"],
        payment_id=str(session.get("client_reference_id") or ""),
        state=ChargeState.CANCELLED if expired else ChargeState.OPEN,
        amount=from_stripe(session["amount_total"], currency),
        currency=currency,
        error_code=code.value if code else "",
        error_message=message,
        gateway_code=gateway_code,
        next_action={"type": "REDIRECT", "url": session["url"]} if session.get("url") else None,
        excerpt={"session": session["id"], "status": session["status"]},
    )


def next_action(intent: Told, publishable_key: str) -> dict[str, str]:
    """What the buyer does next: Stripe's or a bank's page, or Stripe.js with the client secret."""
    wanted = _object(intent, "next_action")
    if wanted.get("type") == "redirect_to_url":
        return {"type": "REDIRECT", "url": str(wanted["redirect_to_url"]["url"])}
    return {
        "type": "CLIENT_SECRET",
        "client_secret": str(intent["client_secret"]),
        "publishable_key": publishable_key,
    }


def refund_report(refund: Told) -> RefundReport:
    outcome = REFUNDS[refund["status"]]
    currency = str(refund["currency"]).upper()
    failed = outcome is RefundOutcome.FAILED
    gateway_code = str(refund.get("failure_reason") or refund["status"]) if failed else ""
    return RefundReport(
        reference=refund["id"],
        outcome=outcome,
        amount=from_stripe(refund["amount"], currency),
        currency=currency,
        refund_id=str((refund.get("metadata") or {}).get("refund_id", "")),
        error_code=ErrorCode.NOT_REFUNDABLE if failed else None,
        gateway_code=gateway_code,
        error_message="Stripe could not give the money back." if failed else "",
    )


def dispute_report(dispute: Told) -> DisputeReport:
    """A bank that only inquires has taken nothing yet."""
    currency = str(dispute["currency"]).upper()
    inquiry = str(dispute["status"]).startswith("warning_") or dispute["status"] == "prevented"
    due = _object(dispute, "evidence_details").get("due_by")
    return DisputeReport(
        reference=dispute["id"],
        state=DISPUTES.get(dispute["status"], DisputeState.OPEN),
        amount=0 if inquiry else from_stripe(dispute["amount"], currency),
        currency=currency,
        reason=str(dispute.get("reason") or ""),
        respond_by=datetime.fromtimestamp(due, UTC) if due else None,
    )


def method_of(details: Told) -> Method:
    kind = str(details.get("type", ""))
    if kind == "card" and _object(details, "card").get("wallet"):
        return Method.WALLET
    return KINDS.get(kind, Method.OTHER)


def _trouble(intent: Told, state: ChargeState) -> tuple[ErrorCode | None, str, str]:
    if state is ChargeState.CANCELLED:
        own = str(intent.get("cancellation_reason") or "")
        return CANCELLATIONS.get(own, ErrorCode.ABANDONED), own, "The payment was cancelled."
    error = _object(intent, "last_payment_error")
    if state is ChargeState.OPEN and error and intent["status"] == "requires_payment_method":
        return failure(error)
    return None, "", ""


def _fee(charge: Told, currency: str) -> int | None:
    """Known once the balance has it, and only where it is kept in the payment's own currency."""
    movement = _object(charge, "balance_transaction")
    if str(movement.get("currency", "")).upper() != currency:
        return None
    return from_stripe(movement["fee"], currency) or None


def _is_release(refund: Told, intent: Told) -> bool:
    """A part that was set aside and never taken may stand in the list too: no money has moved for it."""
    released = intent["amount"] - intent["amount_received"]
    ours = (refund.get("metadata") or {}).get("refund_id")
    return bool(released == refund["amount"] and not ours and not refund.get("balance_transaction"))


def _excerpt(intent: Told, charge: Told) -> dict[str, Any]:
    details = _object(charge, "payment_method_details")
    card = _object(details, "card")
    told = {
        "intent": intent["id"],
        "status": intent["status"],
        "charge": charge.get("id"),
        "method": details.get("type"),
        "card": f"{card.get('brand')} {str(card.get('last4'))[-4:]}" if card else None,
        "risk": _object(charge, "outcome").get("risk_level"),
        "cancellation": intent.get("cancellation_reason"),
    }
    return {name: value for name, value in told.items() if value}


def _object(told: Told, name: str) -> Told:
    """What stands there, if it was told in full; nothing where it is null or only an id."""
    value = told.get(name)
    return value if isinstance(value, Mapping) else {}
