"""Ways to pay that a gateway keeps for a signed-in customer."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from backend.core.errors import DomainError
from backend.payments.gateways.base import Method
from backend.payments.services import KeptMethod, begin_saving, forget_method, list_methods
from schema.payments.types import PaymentAction, payment_action
from schema.server.context import Context
from schema.server.db import io
from schema.server.enums import describe_enum
from schema.server.errors import UserError, user_errors
from schema.server.permissions import SignedIn, guard

MethodType = strawberry.enum(Method, name="PaymentMethodKind", description="How somebody pays.")
describe_enum(
    Method,
    {
        "CARD": "A card.",
        "WALLET": "A wallet.",
        "MOBILE": "A telephone's account.",
        "BANK": "A bank account.",
        "CASH": "Cash, at a counter.",
        "INSTALLMENTS": "In parts, through somebody who lends.",
        "OTHER": "Another way.",
    },
)


@strawberry.type(description="A way to pay that a gateway keeps for you.")
class SavedPaymentMethod:
    id: strawberry.ID = strawberry.field(description="The gateway's id, for `paymentStart` and `paymentMethodRemove`.")
    gateway: str = strawberry.field(description="The gateway's id.")
    kind: Method = strawberry.field(description="What it is.")
    label: str = strawberry.field(description="What people call it: `Visa •••• 4242`.")
    expires: str | None = strawberry.field(description="The month that it is good until, as YYYY-MM; null for no end.")


@strawberry.input(description="A way to pay to save, without paying.")
class PaymentMethodSetupInput:
    gateway: str = strawberry.field(description="The gateway's id.")
    idempotency_key: str = strawberry.field(description="A key that you make up for this; the same one to repeat it.")


@strawberry.input(description="A saved way to pay to forget.")
class PaymentMethodRemoveInput:
    gateway: str = strawberry.field(description="The gateway's id.")
    id: strawberry.ID = strawberry.field(description="The saved method's id.")


@strawberry.type(description="What the browser does to save a way to pay, or why it cannot.")
class PaymentMethodSetupPayload:
    next_action: PaymentAction | None = strawberry.field(
        default=None, description="What the buyer does next; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type(description="What was forgotten, or why it was not.")
class PaymentMethodRemovePayload:
    removed_id: strawberry.ID | None = strawberry.field(
        default=None, description="The method that is gone; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type
class SavedMethodQuery:
    @strawberry.field(
        description="Your saved ways to pay, as the gateways tell now; those of a gateway that is silent are left out.",
        extensions=[guard(SignedIn())],
    )
    async def payment_methods(self, info: Info) -> list[SavedPaymentMethod]:
        context: Context = info.context
        return [_shown(each) for each in await io(list_methods, caller=context.caller)]


@strawberry.type
class SavedMethodMutation:
    @strawberry.mutation(
        description="Begin to save a way to pay without paying; to save one while paying, see `paymentStart`.",
        extensions=[guard(SignedIn())],
    )
    async def payment_method_setup(
        self, info: Info, input: Annotated[PaymentMethodSetupInput, strawberry.argument(description="What to save.")]
    ) -> PaymentMethodSetupPayload:
        context: Context = info.context
        try:
            action = await io(begin_saving, caller=context.caller, gateway_id=input.gateway, key=input.idempotency_key)
        except DomainError as error:
            return PaymentMethodSetupPayload(user_errors=user_errors(error))
        return PaymentMethodSetupPayload(next_action=payment_action(action))

    @strawberry.mutation(description="Let a gateway forget a saved way to pay.", extensions=[guard(SignedIn())])
    async def payment_method_remove(
        self, info: Info, input: Annotated[PaymentMethodRemoveInput, strawberry.argument(description="What to forget.")]
    ) -> PaymentMethodRemovePayload:
        context: Context = info.context
        try:
            await io(forget_method, caller=context.caller, gateway_id=input.gateway, method_id=str(input.id))
        except DomainError as error:
            return PaymentMethodRemovePayload(user_errors=user_errors(error))
        return PaymentMethodRemovePayload(removed_id=input.id)


def _shown(kept: KeptMethod) -> SavedPaymentMethod:
    return SavedPaymentMethod(
        id=strawberry.ID(kept.method.id),
        gateway=kept.gateway,
        kind=kept.method.method,
        label=kept.method.label,
        expires=kept.method.expires or None,
    )
