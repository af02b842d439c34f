"""PayPal's words for what went wrong, in ours. Those that are not here are DECLINED, or NOT_REFUNDABLE for refunds."""

from backend.payments.gateways.base import ErrorCode

ALREADY = frozenset(
    {
        "ORDER_ALREADY_CAPTURED",
        "ORDER_ALREADY_AUTHORIZED",
        "ORDER_ALREADY_COMPLETED",
        "AUTHORIZATION_ALREADY_CAPTURED",
        "PREVIOUSLY_VOIDED",
    }
)
"""No failure: what was asked for has been done before. What came of it is looked up."""
MAYBE_OURS = frozenset({"CAPTURE_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED", "REFUND_NOT_ALLOWED"})
"""How a refund is refused that was made before, and whose answer was lost."""
CODES = {
    "INSTRUMENT_DECLINED": ErrorCode.CARD_DECLINED,
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": ErrorCode.CARD_DECLINED,
    "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": ErrorCode.CARD_DECLINED,
    "CARD_EXPIRED": ErrorCode.CARD_EXPIRED,
    "PAYER_ACTION_REQUIRED": ErrorCode.AUTHENTICATION_REQUIRED,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": ErrorCode.LIMIT_EXCEEDED,
    "TRANSACTION_LIMIT_EXCEEDED": ErrorCode.LIMIT_EXCEEDED,
    "ORDER_EXPIRED": ErrorCode.EXPIRED,
    "AUTHORIZATION_EXPIRED": ErrorCode.EXPIRED,
    "AUTHORIZATION_VOIDED": ErrorCode.EXPIRED,
    "MAX_CAPTURE_AMOUNT_EXCEEDED": ErrorCode.INVALID_AMOUNT,
    "DECIMALS_NOT_SUPPORTED": ErrorCode.INVALID_AMOUNT,
    "DECIMAL_PRECISION": ErrorCode.INVALID_AMOUNT,
    "CANNOT_BE_ZERO_OR_NEGATIVE": ErrorCode.INVALID_AMOUNT,
    "CURRENCY_NOT_SUPPORTED_FOR_COUNTRY": ErrorCode.CURRENCY_NOT_SUPPORTED,
    "INVALID_CURRENCY_CODE": ErrorCode.CURRENCY_NOT_SUPPORTED,
    "PERMISSION_DENIED": ErrorCode.MISCONFIGURED,
    "NOT_AUTHORIZED": ErrorCode.MISCONFIGURED,
    "PAYEE_ACCOUNT_RESTRICTED": ErrorCode.MISCONFIGURED,
    "PAYEE_BLOCKED_TRANSACTION": ErrorCode.MISCONFIGURED,
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": ErrorCode.MISCONFIGURED,
    "COMPLIANCE_VIOLATION": ErrorCode.FRAUD_SUSPECTED,
}
REFUND_CODES = {
    "REFUND_AMOUNT_EXCEEDED": ErrorCode.REFUND_TOO_LARGE,
    "CAPTURE_FULLY_REFUNDED": ErrorCode.REFUND_TOO_LARGE,
    "REFUND_FAILED_INSUFFICIENT_FUNDS": ErrorCode.INSUFFICIENT_FUNDS,
    "DECIMALS_NOT_SUPPORTED": ErrorCode.INVALID_AMOUNT,
    "DECIMAL_PRECISION": ErrorCode.INVALID_AMOUNT,
    "REFUND_AMOUNT_TOO_LOW": ErrorCode.INVALID_AMOUNT,
    "PERMISSION_DENIED": ErrorCode.MISCONFIGURED,
    "NOT_AUTHORIZED": ErrorCode.MISCONFIGURED,
}
PROCESSOR_CODES = {
    "5120": ErrorCode.INSUFFICIENT_FUNDS,
    "5400": ErrorCode.CARD_EXPIRED,
    "5180": ErrorCode.CARD_INVALID,
    "5110": ErrorCode.CARD_INVALID,
    "9500": ErrorCode.FRAUD_SUSPECTED,
}
"""A card's answers in a declined capture."""


def code_of(status: int, issue: str) -> ErrorCode:
    """Why PayPal refused a call that was to move money."""
    if issue in CODES:
        return CODES[issue]
    if status == 403:
        return ErrorCode.MISCONFIGURED
    return ErrorCode.DECLINED if status == 422 else ErrorCode.INVALID_REQUEST
