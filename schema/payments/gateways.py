"""The ways to pay, as clients see them."""

import strawberry
from django.conf import settings

from backend.payments.gateways import registry
from backend.payments.gateways.base import Flow
from schema.server.enums import CurrencyCode, describe_enum

PaymentFlow = strawberry.enum(Flow, name="PaymentFlow", description="How a buyer meets a payment gateway.")
describe_enum(
    Flow,
    {
        "REDIRECT": "On a page of the gateway, and back.",
        "CLIENT_SECRET": "In your page, by the gateway's own script.",
    },
)


@strawberry.type(name="PaymentGateway", description="A way to pay.")
class PaymentGatewayType:
    id: strawberry.ID = strawberry.field(description="The gateway's id, for `paymentStart`.")
    name: str = strawberry.field(description="Its name.")
    currencies: list[CurrencyCode] = strawberry.field(description="The shop's currencies that it takes.")
    flow: Flow = strawberry.field(description="How a buyer meets it.")


def payment_gateways(*, currency: str = "", country: str = "", amount: int = 0) -> list[PaymentGatewayType]:
    """Those that take the currency and the amount (minor units), and serve the country; what is empty is not asked."""
    return [
        PaymentGatewayType(
            id=strawberry.ID(gateway),
            name=accounts[0].name,
            currencies=[
                code  # type: ignore[misc]
                for code in settings.CURRENCIES_OFFERED
                if any(registry.takes(account, currency=code, country=country) for account in accounts)
            ],
            flow=accounts[0].capabilities.flow,
        )
        for gateway, accounts in registry.offered(currency=currency, country=country, amount=amount).items()
    ]
