"""Why an order says no."""

from backend.core.errors import DomainError, NotFound


class OrderNotFound(NotFound):
    """Also for somebody else's order and for a wrong token: the three look the same."""

    default_message = "There is no such order, or the token is not its own."


class CartEmpty(DomainError):
    code = "CART_EMPTY"
    default_message = "There is nothing to order."


class EmailRequired(DomainError):
    code = "EMAIL_REQUIRED"
    default_message = "An order needs the buyer's email address."


class AddressRequired(DomainError):
    code = "ADDRESS_REQUIRED"
    default_message = "An order needs a shipping address."


class PriceChanged(DomainError):
    code = "PRICE_CHANGED"
    default_message = "The total is not the one that you expected."


class EmailNotVerified(DomainError):
    code = "FORBIDDEN"
    default_message = "Show first that the email address is yours: open the link that was sent to it."


class OrderNotPayable(DomainError):
    code = "ORDER_NOT_PAYABLE"
    default_message = "This order is paid, cancelled or expired."
