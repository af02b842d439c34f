"""Vendors for tests, with people who work there."""

from itertools import count
from typing import Any

from backend.accounts.models import User
from backend.vendors.models import Vendor, VendorMember, VendorStatus
from backend.vendors.services import follow_members
from tests.factories.accounts import make_user

_numbers = count(1)


def make_vendor(name: str = "", *, owner: User | None = None, clerks: tuple[User, ...] = (), **fields: Any) -> Vendor:
    """A vendor that sells, with an owner of its own where none is given."""
    number = next(_numbers)
    fields.setdefault("slug", f"vendor-{number}")
    fields.setdefault("status", VendorStatus.APPROVED)
    vendor = Vendor.objects.create(name=name or f"Vendor {number}", **fields)
    owner = owner or make_user(password=None)
    VendorMember.objects.create(vendor=vendor, user=owner, role=VendorMember.Role.OWNER)
    for clerk in clerks:
        VendorMember.objects.create(vendor=vendor, user=clerk)
    follow_members([owner.pk, *(clerk.pk for clerk in clerks)])
    return vendor


def owner_of(vendor: Vendor) -> User:
    return vendor.members.get(role=VendorMember.Role.OWNER).user
