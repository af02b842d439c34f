"""Failures that several of the payment services share."""

from backend.core.errors import DomainError


class GatewayDown(DomainError):
    code = "GATEWAY_UNAVAILABLE"
    default_message = "The payment gateway did not answer. Repeat the request with the same key."
