"""Guests' orders that become a customer's."""

import strawberry
from strawberry.types import Info

from backend.core.errors import DomainError
from backend.orders.services import claim_orders
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import UserError, user_errors
from schema.server.permissions import SignedIn, guard


@strawberry.type(description="How many orders became yours, or why none did.")
class OrdersClaimPayload:
    claimed_count: int = strawberry.field(
        default=0, description="How many there were; 0 also when they are yours already."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why none could be claimed; empty when all went well."
    )


@strawberry.type
class OrdersClaimMutation:
    @strawberry.mutation(
        description="Make the orders yours that you placed as a guest, under your email address. It has to be "
        "verified: else FORBIDDEN. Their tokens go on opening them.",
        extensions=[guard(SignedIn())],
    )
    async def orders_claim(self, info: Info) -> OrdersClaimPayload:
        context: Context = info.context
        try:
            return OrdersClaimPayload(claimed_count=await db(lambda: claim_orders(caller=context.caller)))
        except DomainError as error:
            return OrdersClaimPayload(user_errors=user_errors(error))
