"""When somebody leaves the shop who works for vendors."""

from django.db.models import Value
from django.db.models.functions import Lower

from backend.accounts.models import User
from backend.vendors.access import OWNER
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus
from backend.vendors.services.deciding import decide

OWNER_LEFT = "Its last owner has left the shop."


def leave_vendors(*, user_id: int) -> None:
    """Take somebody out of every vendor. One that nobody owns any more sells nothing from then on.

    Its orders go on, and staff may name an owner and approve it. The user's row is locked; then members, then vendors,
    as `remove_member` does. Emits `vendor.suspended`.
    """
    mine = VendorMember.objects.filter(user_id=user_id).order_by("pk").select_for_update(of=("self",))
    owned = [member.vendor_id for member in mine if member.role == OWNER]
    vendors = Vendor.objects.filter(pk__in=owned).order_by("pk").select_for_update(of=("self",), no_key=True)
    for vendor in vendors:
        others = vendor.members.filter(role=OWNER).exclude(user_id=user_id)
        if vendor.status != VendorStatus.SUSPENDED and not others.exists():
            decide(vendor, VendorStatus.SUSPENDED, OWNER_LEFT)
    VendorMember.objects.filter(user_id=user_id).delete()
    email = User.objects.filter(pk=user_id).values_list("email", flat=True).get()
    VendorInvitation.objects.alias(lowered=Lower("email")).filter(lowered=Lower(Value(email))).delete()
