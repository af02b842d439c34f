"""Who sees which vendor, and who acts for it: the only doors to one that somebody asks for by id.

Whatever is not the caller's looks exactly like what is not there. `Caller.roles` decide nothing here: a member of one
vendor has the role VENDOR, and no right at any other.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from backend.core.caller import Caller
from backend.vendors.errors import InvitationNotFound, MemberNotFound, VendorNotApproved, VendorNotFound
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus

VIEW_VENDORS = "vendors.view_vendor"
DECIDE = "vendors.change_vendor"
OWNER = VendorMember.Role.OWNER


def visible_vendors(caller: Caller) -> QuerySet[Vendor]:
    """Those who sell; whoever works for one sees it in any state, and staff who may see vendors see all."""
    if caller.may(VIEW_VENDORS):
        return Vendor.objects.all()
    rows = Vendor.objects.filter(status=VendorStatus.APPROVED)
    return rows if caller.user_id is None else Vendor.objects.filter(Q(status=VendorStatus.APPROVED) | _mine(caller))


def active_owners(vendor_id: int) -> QuerySet[VendorMember]:
    """Who answers for a vendor: an owner whose account is closed keeps the place, and counts for none."""
    return VendorMember.objects.filter(vendor_id=vendor_id, role=OWNER, user__is_active=True)


def inner_vendors(caller: Caller) -> QuerySet[Vendor]:
    """Those whose inside the caller sees (state, people, invitations): their own, and all for staff."""
    if caller.may(VIEW_VENDORS):
        return Vendor.objects.all()
    return Vendor.objects.none() if caller.user_id is None else Vendor.objects.filter(_mine(caller))


def access_vendor_to_decide(*, caller: Caller, vendor_id: int | None, field: str = "id") -> Vendor:
    """Any vendor, locked, for staff who decide about them. Raises VendorNotFound, also for those who may not."""
    rows = Vendor.objects.all() if caller.may(DECIDE) else Vendor.objects.none()
    return _one(rows, vendor_id, field)


def access_vendor_to_edit(*, caller: Caller, vendor_id: int | None, field: str = "id") -> Vendor:
    """A vendor that the caller owns, or any for staff who decide about them; locked. Raises VendorNotFound."""
    rows = Vendor.objects.all()
    if not caller.may(DECIDE):
        rows = rows.none() if caller.user_id is None else rows.filter(_mine(caller, role=OWNER))
    return _one(rows, vendor_id, field)


def access_own_vendor(*, caller: Caller, vendor_id: int | None, field: str = "vendorId") -> Vendor:
    """An approved vendor that the caller owns, locked. Raises VendorNotFound also for its clerks; VendorNotApproved."""
    rows = Vendor.objects.none() if caller.user_id is None else Vendor.objects.filter(_mine(caller, role=OWNER))
    vendor = _one(rows, vendor_id, field)
    if vendor.status != VendorStatus.APPROVED:
        raise VendorNotApproved(field=[field])
    return vendor


def access_member(*, caller: Caller, member_id: int | None, field: str = "id") -> VendorMember:
    """Somebody of a vendor that the caller owns, or the caller's own place at one; locked. Raises MemberNotFound."""
    if caller.user_id is None or member_id is None:
        raise MemberNotFound(field=[field])
    allowed = Q(user_id=caller.user_id) | Q(vendor__in=Vendor.objects.filter(_mine(caller, role=OWNER)))
    member = VendorMember.objects.filter(allowed, pk=member_id).select_for_update(of=("self",)).first()
    if member is None:
        raise MemberNotFound(field=[field])
    return member


def access_invitation(*, caller: Caller, invitation_id: int | None, field: str = "id") -> VendorInvitation:
    """An invitation of a vendor that the caller owns, locked. Raises InvitationNotFound."""
    if caller.user_id is None or invitation_id is None:
        raise InvitationNotFound(field=[field])
    own = VendorInvitation.objects.filter(vendor__in=Vendor.objects.filter(_mine(caller, role=OWNER)))
    found = own.filter(pk=invitation_id).select_for_update(of=("self",)).first()
    if found is None:
        raise InvitationNotFound(field=[field])
    return found


def _mine(caller: Caller, **member: Any) -> Exists:
    return Exists(VendorMember.objects.filter(vendor=OuterRef("pk"), user=caller.user_id, **member))


def _one(rows: QuerySet[Vendor], pk: int | None, field: str) -> Vendor:
    vendor = None if pk is None else rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if vendor is None:
        raise VendorNotFound(field=[field])
    return vendor
