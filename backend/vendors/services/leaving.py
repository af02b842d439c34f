"""When somebody who works for vendors leaves the shop, or may not come in any more."""

from django.db.models import Value
from django.db.models.functions import Lower

from backend.accounts.models import User
from backend.vendors.access import OWNER, active_owners
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus
from backend.vendors.services.deciding import decide

OWNER_LEFT = "Its last owner has left the shop."
OWNER_CLOSED = "The account of its last owner is closed."


def leave_vendors(*, user_id: int) -> None:
    """Take somebody out of every vendor. One that nobody owns any more sells nothing from then on.

    Its orders go on, and staff may name an owner and approve it. The user's row is locked; then members, then vendors,
    as `remove_member` does. Emits `vendor.suspended`.
    """
    _stop(user_id, OWNER_LEFT)
    VendorMember.objects.filter(user_id=user_id).delete()
    email = User.objects.filter(pk=user_id).values_list("email", flat=True).get()
    VendorInvitation.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(email))).delete()


def stop_without_owner(*, user_id: int) -> None:
    """Suspend what nobody else owns than somebody whose account was closed: it would sell, and nobody answer for it.

    They stay its owner; once they are let in again, staff approve it. Locks and emits as `leave_vendors` does.
    """
    _stop(user_id, OWNER_CLOSED)


def _stop(user_id: int, reason: str) -> None:
    mine = VendorMember.objects.filter(user_id=user_id).order_by("pk").select_for_update(of=("self",))
    owned = [member.vendor_id for member in mine if member.role == OWNER]
    vendors = Vendor.objects.filter(pk__in=owned).order_by("pk").select_for_update(of=("self",), no_key=True)
    for vendor in vendors:
        others = active_owners(vendor.pk).exclude(user_id=user_id)
        if vendor.status != VendorStatus.SUSPENDED and not others.exists():
            decide(vendor, VendorStatus.SUSPENDED, reason)
