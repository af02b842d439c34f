"""Everything that changes vendors."""

from backend.vendors.services.clerks import (
    accept_invitation,
    invite_clerk,
    remove_member,
    revoke_invitation,
)
from backend.vendors.services.deciding import (
    Application,
    apply_as_vendor,
    approve_vendor,
    suspend_vendor,
    update_vendor,
)
from backend.vendors.services.leaving import leave_vendors, stop_without_owner
from backend.vendors.services.roles import follow_members
from backend.vendors.services.saving import save_vendor

__all__ = [
    "Application",
    "accept_invitation",
    "apply_as_vendor",
    "approve_vendor",
    "follow_members",
    "invite_clerk",
    "leave_vendors",
    "remove_member",
    "revoke_invitation",
    "save_vendor",
    "stop_without_owner",
    "suspend_vendor",
    "update_vendor",
]
