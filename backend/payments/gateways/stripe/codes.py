"""Stripe's words for what went wrong, in ours. Its own word is kept beside."""

from collections.abc import Mapping
from typing import Any

import stripe

from backend.payments.gateways.errors import ErrorCode, GatewayRefused

CODES = {
    "insufficient_funds": ErrorCode.INSUFFICIENT_FUNDS,
    "expired_card": ErrorCode.CARD_EXPIRED,
    "incorrect_cvc": ErrorCode.CARD_INVALID,
    "incorrect_number": ErrorCode.CARD_INVALID,
    "incorrect_zip": ErrorCode.CARD_INVALID,
    "invalid_account": ErrorCode.CARD_INVALID,
    "invalid_cvc": ErrorCode.CARD_INVALID,
    "invalid_expiry_month": ErrorCode.CARD_INVALID,
    "invalid_expiry_year": ErrorCode.CARD_INVALID,
    "invalid_number": ErrorCode.CARD_INVALID,
    "authentication_required": ErrorCode.AUTHENTICATION_REQUIRED,
    "payment_intent_authentication_failure": ErrorCode.AUTHENTICATION_FAILED,
    "setup_intent_authentication_failure": ErrorCode.AUTHENTICATION_FAILED,
    "card_velocity_exceeded": ErrorCode.LIMIT_EXCEEDED,
    "withdrawal_count_limit_exceeded": ErrorCode.LIMIT_EXCEEDED,
    "fraudulent": ErrorCode.FRAUD_SUSPECTED,
    "lost_card": ErrorCode.FRAUD_SUSPECTED,
    "merchant_blacklist": ErrorCode.FRAUD_SUSPECTED,
    "pickup_card": ErrorCode.FRAUD_SUSPECTED,
    "stolen_card": ErrorCode.FRAUD_SUSPECTED,
    "currency_not_supported": ErrorCode.CURRENCY_NOT_SUPPORTED,
    "amount_too_large": ErrorCode.INVALID_AMOUNT,
    "amount_too_small": ErrorCode.INVALID_AMOUNT,
    "invalid_charge_amount": ErrorCode.INVALID_AMOUNT,
    "invalid_charge_amount_no_decimal_compatible": ErrorCode.INVALID_AMOUNT,
    "charge_already_refunded": ErrorCode.NOT_REFUNDABLE,
    "charge_disputed": ErrorCode.NOT_REFUNDABLE,
    "refund_disputed_payment": ErrorCode.NOT_REFUNDABLE,
    "card_declined": ErrorCode.CARD_DECLINED,
}
PARAMETERS = {"amount": ErrorCode.INVALID_AMOUNT, "currency": ErrorCode.CURRENCY_NOT_SUPPORTED}
CANCELLATIONS = {
    "automatic": ErrorCode.EXPIRED,
    "expired": ErrorCode.EXPIRED,
    "failed_invoice": ErrorCode.DECLINED,
    "fraudulent": ErrorCode.FRAUD_SUSPECTED,
}


class Missing(GatewayRefused):
    """Stripe has no such object."""


def refusal(error: "stripe.CardError | stripe.InvalidRequestError") -> GatewayRefused:
    """A request that Stripe has understood and not done. Only what it says to buyers is passed on in its own words."""
    told = {
        "code": error.code,
        "decline_code": getattr(error.error, "decline_code", None),
        "message": error.user_message,
    }
    if isinstance(error, stripe.CardError):
        code, gateway_code, message = failure(told)
        return GatewayRefused(message, code=code, gateway_code=gateway_code)
    if error.http_status == 404 or error.code == "resource_missing":
        return Missing("Stripe knows no such thing.", code=ErrorCode.INVALID_REQUEST, gateway_code=error.code or "")
    code = CODES.get(error.code or "") or PARAMETERS.get(error.param or "", ErrorCode.INVALID_REQUEST)
    gateway_code = error.code or error.param or ""
    return GatewayRefused(f"Stripe refuses: {gateway_code or 'invalid request'}", code=code, gateway_code=gateway_code)


def failure(told: Mapping[str, Any]) -> tuple[ErrorCode, str, str]:
    """Our code, Stripe's, and its words to the buyer, of `last_payment_error` and its like."""
    own = str(told.get("decline_code") or told.get("code") or "")
    code = CODES.get(own) or CODES.get(str(told.get("code") or ""), ErrorCode.DECLINED)
    return code, own, str(told.get("message") or "The payment was declined.")
