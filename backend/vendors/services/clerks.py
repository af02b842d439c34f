"""Those who work for a vendor: asked by mail, come by a link, and sent away."""

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower

from backend.accounts.access import access_user
from backend.accounts.checking import clean_email
from backend.accounts.errors import Forbidden, TokenInvalid
from backend.accounts.locking import lock_customer
from backend.accounts.models import User
from backend.core import clock, outbox
from backend.core.caller import Caller
from backend.core.errors import Invalid
from backend.vendors.access import OWNER, access_invitation, access_member, access_own_vendor, active_owners
from backend.vendors.errors import VendorNotApproved
from backend.vendors.invitations import invitation_of
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus
from backend.vendors.services.roles import follow_members

MAX_PEOPLE = 100
"""Members and invitations together: so many mails at most does a vendor make the shop send."""


@transaction.atomic
def invite_clerk(*, caller: Caller, vendor_id: int | None, email: str) -> VendorInvitation:
    """Have a worker mail somebody a link to come and work for a vendor of the caller's. Emits `vendor.clerk_invited`.

    It is not even looked whether there is such an account. The same address again gets a new link in the old one's
    place. Raises VendorNotFound, VendorNotApproved or Invalid.
    """
    lock_customer(caller.user_id or 0)  # before the vendor, as whoever leaves does
    vendor = access_own_vendor(caller=caller, vendor_id=vendor_id)
    address = clean_email(email)
    if vendor.members.filter(user__in=User.objects.with_login(address)).exists():
        raise Invalid("Whoever has this address works here already.", field=["email"])
    known = vendor.invitations.annotate(lowered=Lower("email")).filter(lowered=Lower(Value(address)))
    invitation: VendorInvitation | None = known.select_for_update(of=("self",)).first()
    if invitation is None:
        if vendor.members.count() + vendor.invitations.count() >= MAX_PEOPLE:
            raise Invalid(f"A vendor has at most {MAX_PEOPLE} people, the invited ones too.", field=["email"])
        invitation = VendorInvitation(vendor=vendor, email=address)
    invitation.invited_by_id, invitation.sent_at = caller.user_id, clock.now()
    invitation.save()
    outbox.emit("vendor.clerk_invited", key=str(invitation.pk))
    return invitation


def revoke_invitation(*, caller: Caller, invitation_id: int | None) -> int:
    """Take an invitation back; its link is good no more. Returns its key. Raises InvitationNotFound."""
    with transaction.atomic():
        invitation = access_invitation(caller=caller, invitation_id=invitation_id)
        key = invitation.pk
        invitation.delete()
    return int(key)


def accept_invitation(*, caller: Caller, token: str) -> Vendor:
    """Come to work for the vendor that has invited the caller's own, verified address. Emits `vendor.member_joined`.

    A mail that was passed on opens nothing: for another address the token is none. Raises TokenInvalid (also the
    second time), TokenExpired, Forbidden until the address is verified, or VendorNotApproved.
    """
    with transaction.atomic():
        user = access_user(caller=caller, user_id=caller.user_id, field="token", lock=True)
        found = invitation_of(token)
        if not User.objects.with_login(found.email).filter(pk=user.pk).exists():
            raise TokenInvalid(field=["token"])
        if user.email_verified_at is None:
            raise Forbidden("Show first that the address is yours: open the link that was sent to it.", field=["token"])
        vendor = Vendor.objects.select_for_update(of=("self",), no_key=True).get(pk=found.vendor_id)
        if not VendorInvitation.objects.select_for_update().filter(pk=found.pk, sent_at=found.sent_at).exists():
            raise TokenInvalid(field=["token"])
        if vendor.status != VendorStatus.APPROVED:
            raise VendorNotApproved(field=["token"])
        VendorMember.objects.get_or_create(vendor=vendor, user=user, defaults={"role": VendorMember.Role.CLERK})
        found.delete()
        outbox.emit("vendor.member_joined", key=str(vendor.pk), data={"user_id": user.pk})
    follow_members([user.pk])
    return vendor


def remove_member(*, caller: Caller, member_id: int | None) -> int:
    """Send a clerk away, or leave a vendor. Returns the member's key. Emits `vendor.member_left`.

    Raises MemberNotFound, also the second time, or Invalid for the last owner.
    """
    with transaction.atomic():
        member = access_member(caller=caller, member_id=member_id)
        Vendor.objects.select_for_update(of=("self",), no_key=True).get(pk=member.vendor_id)
        if member.role == OWNER and not active_owners(member.vendor_id).exclude(pk=member.pk).exists():
            raise Invalid("A vendor keeps an owner: this is the last one.", field=["id"])
        key, user_id = member.pk, member.user_id
        member.delete()
        outbox.emit("vendor.member_left", key=str(member.vendor_id), data={"user_id": user_id})
    follow_members([user_id])
    return int(key)
