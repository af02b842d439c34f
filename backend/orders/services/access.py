"""The only doors to an order that somebody asks for."""

import secrets
from uuid import UUID

from backend.core.caller import Caller
from backend.orders.errors import OrderNotFound
from backend.orders.models import Order


def access_order(*, caller: Caller, order_id: UUID, token: str | None) -> Order:
    """The caller's order: a guest's by its token, a customer's own without. Raises OrderNotFound otherwise."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound
    own = caller.user_id is not None and order.customer_id == caller.user_id
    named = token is not None and secrets.compare_digest(token.encode(), order.token.encode())
    if not own and not named:
        raise OrderNotFound
    return order


def lock_order(order_id: UUID) -> Order:
    """The order, locked until the transaction ends: taken before payments and stock, always."""
    return Order.objects.select_for_update().get(pk=order_id)
