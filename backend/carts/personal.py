"""Carts' part of what is known of a person."""

from typing import Any

from backend.carts.models import Cart, CartStatus
from backend.core.personal import PersonalData


def export(user_id: int) -> list[dict[str, Any]]:
    carts = Cart.objects.filter(customer_id=user_id).order_by("created_at")
    columns = ("status", "email", "phone", "note", "shipping_address", "billing_address", "created_at", "updated_at")
    return list(carts.values(*columns))


def erase(user_id: int) -> None:
    carts = Cart.objects.filter(customer_id=user_id)
    carts.filter(status=CartStatus.OPEN).delete()
    carts.update(email="", phone="", note="", shipping_address=None, billing_address=None)


CARTS = PersonalData("carts", export, erase)
