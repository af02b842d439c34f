"""Vendor reads."""

from collections.abc import Collection, Iterable

from backend.core.prepared import AnyOf, Read, RowTuple
from backend.vendors.models import Vendor, VendorMember


class VendorRow(RowTuple, model=Vendor):
    pk: int
    slug: str
    name: str
    description: str


_BY_ID = Read[VendorRow](
    lambda: Vendor.objects.filter(AnyOf("id", "ids")).values_list("pk", "slug", "name", "description"), VendorRow
)


def vendors_by_member(user_ids: Collection[int]) -> dict[int, list[Vendor]]:
    """The vendors that each of these users works for, by name."""
    if not user_ids:
        return {}
    found: dict[int, list[Vendor]] = {}
    members = VendorMember.objects.filter(user_id__in=user_ids).select_related("vendor")
    for member in members.order_by("vendor__name", "vendor_id"):
        found.setdefault(member.user_id, []).append(member.vendor)
    return found


def vendors_by_id(ids: Iterable[int]) -> dict[int, VendorRow]:
    return {row.pk: row for row in _BY_ID(ids=list(ids))}
