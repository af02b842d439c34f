"""Whose order it is: the only doors to one that somebody asks for."""

import secrets
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from backend.accounts.models import User
from backend.core.caller import Caller
from backend.orders.errors import OrderNotFound
from backend.orders.models import Order

_NO_TOKEN = secrets.token_urlsafe(32)


def own_orders(caller: Caller) -> QuerySet[Order]:
    """A customer's own. A guest has none by id or number alone: these open nothing."""
    return Order.objects.none() if caller.user_id is None else Order.objects.filter(customer_id=caller.user_id)


def claimable_orders(caller: Caller) -> QuerySet[Order]:
    """Guests' orders under the email address that the caller has shown to be theirs."""
    if caller.user_id is None:
        return Order.objects.none()
    shown = User.objects.filter(pk=caller.user_id, email_verified_at__isnull=False)
    email = shown.values_list("email", flat=True).first()
    if email is None:
        return Order.objects.none()
    # Lowered by PostgreSQL on both sides, as where people sign in: upper case makes different letters the same.
    return Order.objects.alias(lowered=Lower("email")).filter(customer__isnull=True, lowered=Lower(Value(email)))


def access_order(*, caller: Caller, order_id: UUID, token: str | None) -> Order:
    """The caller's order: a guest's by its token, a customer's own without.

    Raises OrderNotFound otherwise: for an unknown order as for a wrong token, in the same words, after the same work.
    """
    order = Order.objects.filter(pk=order_id).first()
    named = _same(token or "", _NO_TOKEN if order is None else order.token)
    if order is None:
        raise OrderNotFound
    own = caller.user_id is not None and order.customer_id == caller.user_id
    if not own and not named:
        raise OrderNotFound
    return order


def lock_order(order_id: UUID) -> Order:
    """The order, locked until the transaction ends: taken before payments and stock, always.

    Raises OrderNotFound. For services: it does not ask who wants it.
    """
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound
    return order


def _same(sent: str, known: str) -> bool:
    """Compared in constant time; what a client sends may hold anything, so bytes."""
    return secrets.compare_digest(sent.encode(errors="replace"), known.encode())
