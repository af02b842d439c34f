"""Carts' part of what is known of a person."""

from typing import Any

from django.db.models import F, Prefetch, Q

from backend.carts.models import Cart, CartLine, CartStatus
from backend.core import clock
from backend.core.personal import PersonalData

_COLUMNS = (
    "status", "currency", "email", "phone", "note", "shipping_address", "billing_address", "created_at", "updated_at"
)  # fmt: skip
_NO_BUYER: dict[str, Any] = {"email": "", "phone": "", "note": "", "shipping_address": None, "billing_address": None}


def export(user_id: int) -> list[dict[str, Any]]:
    lines = Prefetch("lines", CartLine.objects.select_related("variant__product").order_by("pk"))
    carts = Cart.objects.filter(customer_id=user_id).order_by("created_at", "pk")
    return [
        {name: getattr(cart, name) for name in _COLUMNS} | {"lines": [_line(line) for line in cart.lines.all()]}
        for cart in carts.prefetch_related(lines)
    ]


def _line(line: CartLine) -> dict[str, Any]:
    return {"sku": line.variant.sku, "name": line.variant.product.name, "quantity": line.quantity}


def erase(user_id: int) -> None:
    carts = Cart.objects.filter(customer_id=user_id)
    # Locked first: one that is being ordered at this moment has an order that points to it, and stays.
    still_open = list(carts.filter(status=CartStatus.OPEN).select_for_update().values_list("pk", flat=True))
    carts.filter(pk__in=still_open).delete()
    carts.update(**_NO_BUYER)


def hand_over(user_id: int) -> None:
    """What is in the cart stays. Where it goes, and who hears of the order, its owner has to say anew."""
    known = ~Q(email="", phone="", note="") | Q(shipping_address__isnull=False) | Q(billing_address__isnull=False)
    carts = Cart.objects.filter(known, customer_id=user_id, status=CartStatus.OPEN)
    carts.update(**_NO_BUYER, version=F("version") + 1, updated_at=clock.now())


CARTS = PersonalData("carts", export, erase, hand_over=hand_over)
