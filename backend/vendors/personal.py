"""Vendors' part of what is known of a person."""

from typing import Any

from django.db.models import Value
from django.db.models.functions import Lower

from backend.accounts.models import User
from backend.core.personal import PersonalData
from backend.vendors.models import VendorInvitation, VendorMember


def export(user_id: int) -> list[dict[str, Any]]:
    rows = VendorMember.objects.filter(user_id=user_id).order_by("vendor__name", "vendor_id")
    return [{"vendor": member.vendor.name, "role": member.role} for member in rows.select_related("vendor")]


def erase(user_id: int) -> None:
    """Whoever leaves the shop works for nobody here, and waits for nobody's answer."""
    VendorMember.objects.filter(user_id=user_id).delete()
    email = User.objects.filter(pk=user_id).values_list("email", flat=True).get()
    VendorInvitation.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(email))).delete()


VENDORS = PersonalData("vendors", export, erase)
