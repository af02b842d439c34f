"""Orders for tests, placed and paid by the services that clients reach."""

from itertools import count
from typing import Any
from uuid import uuid4

from django.db import transaction

from backend.carts.checking import NewLine
from backend.catalog.models import ProductVariant
from backend.core.caller import GUEST, Caller
from backend.core.context import default_context
from backend.orders.models import Order
from backend.orders.services import PlaceOrder, apply_capture, lock_order, place_order
from tests.factories.carts import ADDRESS
from tests.factories.catalog import make_product

_numbers = count(1)


def place(*lines: tuple[ProductVariant, int], caller: Caller = GUEST, **sent: Any) -> Order:
    """Place an order of these variants without a cart ("buy now"). `sent` are fields of PlaceOrder."""
    return place_order(caller=caller, shop=default_context(), request=buy_now(*lines, **sent)).order


def buy_now(*lines: tuple[ProductVariant, int], **sent: Any) -> PlaceOrder:
    """A complete request without a cart, under a key of its own."""
    sent.setdefault("idempotency_key", str(uuid4()))
    sent.setdefault("email", "ada@example.com")
    sent.setdefault("shipping_address", ADDRESS)
    return PlaceOrder(lines=[NewLine(variant.pk, quantity) for variant, quantity in lines], **sent)


def make_order(*lines: tuple[ProductVariant, int], caller: Caller = GUEST, **sent: Any) -> Order:
    """A placed order that waits for its payment; of one new variant when none is named."""
    if not lines:
        lines = ((make_product().variants.get(), 1),)
    return place(*lines, caller=caller, **sent)


def pay(order: Order, amount: int | None = None) -> Order:
    """Capture money for an order, its total when no amount is named."""
    with transaction.atomic():
        locked = lock_order(order.pk)
        apply_capture(locked, amount=locked.total if amount is None else amount)
    order.refresh_from_db()
    return order


def make_paid_order(*lines: tuple[ProductVariant, int], **sent: Any) -> Order:
    return pay(make_order(*lines, **sent))
