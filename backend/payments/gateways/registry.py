"""The gateways of the shop. A new one is a module and a line here."""

from django.conf import settings

from backend.core.errors import DomainError
from backend.payments.gateways.base import PaymentGateway
from backend.payments.gateways.sandbox import SandboxGateway


class GatewayNotOffered(DomainError):
    code = "GATEWAY_UNAVAILABLE"
    default_message = "This payment gateway is not offered."


def enabled() -> list[PaymentGateway]:
    """The gateways that this shop offers. The sandbox never is one of them in production."""
    gateways: list[PaymentGateway] = []
    if settings.SANDBOX_GATEWAY and not settings.PRODUCTION:
        gateways.append(SandboxGateway())
    return gateways


def get(gateway_id: str) -> PaymentGateway:
    """Raises GatewayNotOffered."""
    for gateway in enabled():
        if gateway.id == gateway_id:
            return gateway
    raise GatewayNotOffered(field=["gateway"])


def for_currency(gateway_id: str, currency: str) -> PaymentGateway:
    """Raises GatewayNotOffered also when the gateway does not take the currency."""
    gateway = get(gateway_id)
    taken = gateway.currencies()
    if taken is not None and currency not in taken:
        raise GatewayNotOffered(f"{gateway.name} does not take {currency}.", field=["gateway"])
    return gateway
