"""Vendor reads."""

from collections.abc import Collection, Iterable

from backend.core.caller import Caller
from backend.core.paging import Ordering, Page, PageRequest, SortKey, page
from backend.core.prepared import AnyOf, Read, RowTuple
from backend.vendors.access import inner_vendors, visible_vendors
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus

BY_NAME = Ordering("name", (SortKey("name", str),))


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


def find_vendor(*, caller: Caller, pk: int | None = None, slug: str | None = None) -> Vendor | None:
    """A vendor that the caller sees, by its key or slug."""
    rows = visible_vendors(caller)
    return rows.filter(pk=pk).first() if pk is not None else rows.filter(slug=slug or "").first()


def page_vendors(
    *, caller: Caller, request: PageRequest, statuses: Collection[VendorStatus] | None = None
) -> Page[Vendor]:
    """Those who sell, by name; with statuses those in one of them that the caller may look into."""
    rows = Vendor.objects.filter(status=VendorStatus.APPROVED)
    if statuses is not None:
        rows = inner_vendors(caller).filter(status__in=statuses)
    return page(rows, BY_NAME, request)


def vendors_by_id(ids: Iterable[int]) -> dict[int, VendorRow]:
    return {row.pk: row for row in _BY_ID(ids=list(ids))}


def inner_vendors_by_id(ids: Collection[int], *, caller: Caller) -> dict[int, Vendor]:
    """Those of them that the caller may look into."""
    return {vendor.pk: vendor for vendor in inner_vendors(caller).filter(pk__in=ids)} if ids else {}


def roles_of(*, caller: Caller, vendor_ids: Collection[int]) -> dict[int, VendorMember.Role]:
    """Vendor -> what the caller is there; those where they do not work are not in it."""
    if caller.user_id is None:
        return {}
    rows = VendorMember.objects.filter(user_id=caller.user_id, vendor_id__in=vendor_ids)
    return {vendor_id: VendorMember.Role(role) for vendor_id, role in rows.values_list("vendor_id", "role")}


def members_by_vendor(vendor_ids: Collection[int]) -> dict[int, list[VendorMember]]:
    """Vendor -> who works there, with the user, owners first. For vendors that the caller may look into."""
    found: dict[int, list[VendorMember]] = {}
    rows = VendorMember.objects.filter(vendor_id__in=vendor_ids).select_related("user")
    for member in rows.order_by("-role", "pk") if vendor_ids else ():
        found.setdefault(member.vendor_id, []).append(member)
    return found


def invitations_by_vendor(vendor_ids: Collection[int]) -> dict[int, list[VendorInvitation]]:
    """Vendor -> who was asked to come, in order. For vendors that the caller may look into."""
    found: dict[int, list[VendorInvitation]] = {}
    rows = VendorInvitation.objects.filter(vendor_id__in=vendor_ids).order_by("pk")
    for invitation in rows if vendor_ids else ():
        found.setdefault(invitation.vendor_id, []).append(invitation)
    return found
