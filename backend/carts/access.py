"""Whose cart it is: the only doors to one that somebody asks for."""

from uuid import UUID

from django.db.models import Q, QuerySet

from backend.carts.errors import CartNotFound
from backend.carts.models import Cart, CartStatus
from backend.core import clock
from backend.core.caller import Caller


def open_carts() -> QuerySet[Cart]:
    """Those whose time is not over; of anybody."""
    return Cart.objects.filter(status=CartStatus.OPEN, expires_at__gt=clock.now())


def visible_carts(caller: Caller) -> QuerySet[Cart]:
    """The open carts that the caller may reach, of those whose unguessable id they know."""
    owner = Q(customer__isnull=True)
    if caller.user_id is not None:
        owner |= Q(customer_id=caller.user_id)
    return open_carts().filter(owner)


def own_carts(caller: Caller) -> QuerySet[Cart]:
    """The customer's open cart, of which there is one at most; nothing for a guest."""
    return Cart.objects.none() if caller.user_id is None else open_carts().filter(customer_id=caller.user_id)


def access_cart(*, caller: Caller, cart_id: UUID, lock: bool = False) -> Cart:
    """The caller's open cart: a guest's by its id alone, a customer's only for that customer.

    With `lock`, the row is locked until the transaction ends. Raises CartNotFound also for one that is not theirs.
    """
    rows = visible_carts(caller)
    cart = (rows.select_for_update() if lock else rows).filter(pk=cart_id).first()
    if cart is None:
        raise CartNotFound(field=["cartId"])
    return cart


def lock_own_cart(user_id: int) -> Cart | None:
    """The customer's open cart, locked. One whose time is over is deleted, to make room for a new one.

    The customer must be locked: that is what keeps two carts from being made.
    """
    cart = Cart.objects.select_for_update().filter(customer_id=user_id, status=CartStatus.OPEN).first()
    if cart is not None and cart.expires_at <= clock.now():
        cart.delete()
        return None
    return cart
