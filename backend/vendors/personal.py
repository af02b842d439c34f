"""Vendors' part of what is known of a person."""

from typing import Any

from backend.core.personal import PersonalData
from backend.vendors.models import VendorMember
from backend.vendors.services import leave_vendors, stop_without_owner


def export(user_id: int) -> list[dict[str, Any]]:
    rows = VendorMember.objects.filter(user_id=user_id).order_by("vendor__name", "vendor_id")
    return [{"vendor": member.vendor.name, "role": member.role} for member in rows.select_related("vendor")]


def erase(user_id: int) -> None:
    """Whoever leaves the shop works for nobody here, and waits for nobody's answer."""
    leave_vendors(user_id=user_id)


def close(user_id: int) -> None:
    """Nobody answers for what only they own; their places are kept for the day that they are let in again."""
    stop_without_owner(user_id=user_id)


VENDORS = PersonalData("vendors", export, erase, close)
