"""The role VENDOR comes and goes with working for a vendor."""

from collections.abc import Collection

from backend.accounts.services import give_role, rights_changed, take_role
from backend.core.caller import Role
from backend.vendors.models import VendorMember, VendorStatus


def follow_members(user_ids: Collection[int]) -> None:
    """Give the role to those who work for an approved vendor, and take it from those who work for none.

    At a suspended vendor they keep what they have: its running orders are still theirs to see through. To be called
    when the change of members is in PostgreSQL.
    """
    at_work = VendorMember.objects.filter(user_id__in=user_ids).exclude(vendor__status=VendorStatus.PENDING)
    statuses = list(at_work.values_list("user_id", "vendor__status"))
    approved = {user_id for user_id, status in statuses if status == VendorStatus.APPROVED}
    gone = set(user_ids) - {user_id for user_id, _ in statuses}
    rights_changed([*give_role(approved, Role.VENDOR), *take_role(gone, Role.VENDOR)])
