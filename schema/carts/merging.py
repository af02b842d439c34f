"""A guest's cart joins the customer's: by `cartMerge`, or on the way when signing in."""

import logging
from collections.abc import Sequence
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from backend.carts.merging import Merge, MergedLine, MergeOutcome, MergeStrategy, merge_carts
from backend.carts.queries import view_cart
from backend.catalog.queries import variants_by_id
from backend.core.caller import Caller
from backend.core.errors import DomainError, NotFound
from schema.carts.types import Cart, as_cart
from schema.catalog.types import ProductVariant
from schema.engine import batched, computed
from schema.server.context import Context
from schema.server.db import db
from schema.server.enums import describe_enum
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_uuid
from schema.server.permissions import SignedIn, guard

logger = logging.getLogger("cartograph.carts")
CART_ID = (
    "A guest's cart, to join yours. Signing in never fails because of it: see `cartMerge` in the payload, which is "
    "null where nothing could be merged."
)
CartMergeOutcome: Any = strawberry.enum(
    MergeOutcome, name="CartMergeOutcome", description="What became of a line of the guest's cart."
)
describe_enum(
    MergeOutcome,
    {
        "MOVED": "It is in your cart now, as it was.",
        "SUMMED": "Its units were added to those that you had.",
        "KEPT": "You had some, and what you had counts, as you asked by `strategy: KEEP_ACCOUNT`.",
        "CLIPPED_TO_STOCK": "There are fewer units left than you and the guest had together: you have what is left.",
        "CLIPPED_TO_LIMIT": "One order may have fewer units, or a cart fewer lines: you have as many as it may.",
        "REFUSED_UNAVAILABLE": "It is out of stock, or not sold (any more, or in your cart's currency). What you had "
        "of it stays.",
    },
)


CartMergeStrategy: Any = strawberry.enum(
    MergeStrategy, name="CartMergeStrategy", description="What counts of a variant that is in both carts."
)
describe_enum(
    MergeStrategy,
    {
        "SUM": "Both together.",
        "KEEP_GUEST": "What the guest had.",
        "KEEP_ACCOUNT": "What you had.",
    },
)


@strawberry.input(description="The guest's cart to put into yours.")
class CartMergeInput:
    cart_id: strawberry.ID = strawberry.field(description="The guest's cart's id.")
    strategy: MergeStrategy = strawberry.field(
        default=MergeStrategy.SUM,
        description="What counts of a variant that is in both carts. Lines of one alone are kept in any case; a cart "
        "that was merged before stays as it is.",
    )


@strawberry.type(description="What became of one line of the guest's cart.")
class CartMergeLine:
    outcome: MergeOutcome = strawberry.field(description="What happened.")

    @batched(description="The variant; null when it was deleted since.")
    def variant(lines: list[Any]) -> list[ProductVariant | None]:
        found = variants_by_id({line.variant_id for line in lines})
        return [cast("ProductVariant | None", found.get(line.variant_id)) for line in lines]

    @computed(description="How many units the guest had.")
    def guest_quantity(line: Any) -> int:
        return line.guest  # type: ignore[no-any-return]

    @computed(description="How many you had.")
    def account_quantity(line: Any) -> int:
        return line.account  # type: ignore[no-any-return]

    @computed(description="How many your cart has now.")
    def final_quantity(line: Any) -> int:
        return line.final  # type: ignore[no-any-return]


@strawberry.type(description="Your cart, with what became of each line of the guest's; or why nothing was merged.")
class CartMergePayload:
    cart: Cart | None = strawberry.field(
        default=None, description="Your open cart; null when it was refused, or has been ordered since the merge."
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether it was merged before: then nothing was changed, and the outcomes are those."
    )
    outcomes: list[CartMergeLine] = strawberry.field(
        default_factory=list, description="One for each line that the guest's cart had."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was merged; empty when all went well."
    )


@strawberry.type
class CartMergeMutation:
    @strawberry.mutation(
        description="Put a guest's cart into yours. Quantities add up (or see `strategy`), as far as limits and stock "
        "allow, and `outcomes` tell what became of each line. Without an open cart of yours the guest's becomes it, "
        "under its id. Merging again changes nothing. A cart that is somebody's is never taken: NOT_FOUND.",
        extensions=[guard(SignedIn())],
    )
    async def cart_merge(
        self, info: Info, input: Annotated[CartMergeInput, strawberry.argument(description="Which cart.")]
    ) -> CartMergePayload:
        context: Context = info.context

        def run() -> CartMergePayload:
            try:
                cart_id = decode_uuid(input.cart_id, "Cart", field=["cartId"])
                strategy = MergeStrategy(input.strategy)
                return _payload(merge_carts(caller=context.caller, cart_id=cart_id, strategy=strategy))
            except DomainError as error:
                return CartMergePayload(user_errors=user_errors(error))

        return await db(run)


async def merge_at_login(*, user_id: int, cart_id: str | None) -> CartMergePayload | None:
    """What `cartMerge` would do, for somebody who has just signed in. None where nothing was merged.

    Never fails: whoever signs in has done so, whatever becomes of a cart. They may try again by `cartMerge`.
    """
    if cart_id is None:
        return None
    try:
        pk = decode_uuid(cart_id, "Cart")
        return await db(lambda: _payload(merge_carts(caller=Caller(user_id=user_id), cart_id=pk)))
    except NotFound:
        return None
    except Exception:
        logger.exception("A guest's cart could not be merged at login.")
        return None


def _payload(merge: Merge) -> CartMergePayload:
    return CartMergePayload(
        cart=None if merge.cart is None else as_cart(view_cart(merge.cart)),
        replayed=merge.replayed,
        outcomes=_outcomes(merge.lines),
    )


def _outcomes(lines: Sequence[MergedLine]) -> list[CartMergeLine]:
    return cast("list[CartMergeLine]", list(lines))
