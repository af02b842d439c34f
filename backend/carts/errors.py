"""Why a cart says no."""

from backend.core.errors import DomainError, NotFound


class CartNotFound(NotFound):
    """Also for somebody else's, an ordered and an expired cart."""

    default_message = "There is no open cart with this id."


class LineNotFound(NotFound):
    default_message = "The cart has no line with this id."


class VariantNotFound(NotFound):
    default_message = "There is no such variant."


class NotPurchasable(DomainError):
    code = "NOT_PURCHASABLE"
    default_message = "This variant cannot be bought."


class QuantityLimit(DomainError):
    code = "QUANTITY_LIMIT"
    default_message = "This is more than one order may have."


class CartVersionConflict(DomainError):
    code = "CART_VERSION_CONFLICT"
    default_message = "The cart has changed since you read it. Read it again, then decide."
