"""Carts for tests, made by the services that clients reach."""

from typing import Any

from backend.carts import services
from backend.carts.checking import NewLine
from backend.carts.models import Cart
from backend.catalog.models import ProductVariant
from backend.core.addresses import Address
from backend.core.caller import GUEST, Caller

ADDRESS = Address(
    first_name="Ada",
    last_name="Lovelace",
    line1="12 St James's Square",
    city="London",
    postal_code="SW1Y 4JH",
    country="GB",
)


def make_cart(
    *lines: tuple[ProductVariant, int],
    caller: Caller = GUEST,
    currency: str = "USD",
    email: str = "ada@example.com",
    shipping: Address | None = ADDRESS,
) -> Cart:
    """An open cart that can be ordered as it is: with these variants and units, an email and a shipping address."""
    new = [NewLine(variant.pk, quantity) for variant, quantity in lines]
    cart = services.create_cart(caller=caller, currency=currency, email=email, lines=new)
    if shipping is not None:
        services.update_addresses(caller=caller, cart_id=cart.pk, shipping=shipping)
    cart.refresh_from_db()
    return cart


def row_of(cart: Cart) -> dict[str, Any]:
    """Everything that the database has of a cart, to show that nothing changed."""
    stored = Cart.objects.filter(pk=cart.pk).values().get()
    lines = list(cart.lines.order_by("pk").values("pk", "variant_id", "quantity", "seen_price"))
    return {**stored, "lines": lines}
