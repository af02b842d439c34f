"""What can go wrong at a gateway, in words that all gateways share. Messages never hold addresses, keys or cards."""

from enum import Enum


class ErrorCode(Enum):
    """Why a payment or refund failed, to branch on. The gateway's own code is kept beside it."""

    CARD_DECLINED = "CARD_DECLINED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    CARD_EXPIRED = "CARD_EXPIRED"
    CARD_INVALID = "CARD_INVALID"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    FRAUD_SUSPECTED = "FRAUD_SUSPECTED"
    ABANDONED = "ABANDONED"
    EXPIRED = "EXPIRED"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    CURRENCY_NOT_SUPPORTED = "CURRENCY_NOT_SUPPORTED"
    INVALID_REQUEST = "INVALID_REQUEST"
    MISCONFIGURED = "MISCONFIGURED"
    NOT_REFUNDABLE = "NOT_REFUNDABLE"
    REFUND_TOO_LARGE = "REFUND_TOO_LARGE"
    GATEWAY_UNAVAILABLE = "GATEWAY_UNAVAILABLE"
    MISMATCH = "MISMATCH"
    DECLINED = "DECLINED"
    """Refused for a reason that the gateway does not tell, or that we do not know."""


class GatewayUnavailable(Exception):
    """The gateway did not answer, or not in a way that can be understood. It may have acted all the same."""


class GatewayRefused(Exception):
    """The gateway has understood, and will not. Nothing was done."""

    def __init__(self, message: str = "", *, code: ErrorCode = ErrorCode.DECLINED, gateway_code: str = "") -> None:
        super().__init__(message or code.value)
        self.code = code
        self.gateway_code = gateway_code


class RefundRefused(GatewayRefused):
    """The gateway will not give this money back."""

    def __init__(
        self, message: str = "", *, code: ErrorCode = ErrorCode.NOT_REFUNDABLE, gateway_code: str = ""
    ) -> None:
        super().__init__(message, code=code, gateway_code=gateway_code)


class SignatureInvalid(Exception):
    """A webhook that the gateway did not send."""
