"""Mails to those who sell. As with accounts', a link is made when its mail is: no table and no queue holds one."""

from collections.abc import Iterable
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backend.accounts.models import User
from backend.accounts.throttles import may_invite
from backend.notifications.account_texts import Words
from backend.notifications.sending import Mail, language_of, send_once
from backend.notifications.vendor_texts import VENDOR_TEXTS
from backend.vendors.invitations import token_of
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus


@transaction.atomic
def send_vendor_decision(*, event_id: UUID, vendor_id: int) -> int:
    """Tell a vendor's owners where it stands now, each once for each event; returns how many mails were sent.

    Where the last of them has left, those who still work there are told.
    """
    vendor = Vendor.objects.filter(pk=vendor_id).exclude(status=VendorStatus.PENDING).first()
    if vendor is None:
        return 0
    kind = f"vendor_{vendor.status.lower()}"
    sent = 0
    for owner in _owners(vendor):
        language = language_of(owner)
        words = _words(language, kind, vendor)
        sent += send_once(event_id, Mail(f"{kind}_{owner.pk}", owner.email, language, words))
    return sent


@transaction.atomic
def send_vendor_invitation(*, event_id: UUID, invitation_id: int) -> bool:
    """Send somebody their link, once for each event; False when it was taken back, or they have had enough of them."""
    rows = VendorInvitation.objects.select_related("vendor").filter(vendor__status=VendorStatus.APPROVED)
    invitation = rows.filter(pk=invitation_id).first()
    if invitation is None:
        return False
    language = language_of(User.objects.with_login(invitation.email).first())
    token = token_of(invitation)
    link = settings.STOREFRONT_INVITATION_URL.format(token=quote(token, safe=""))
    words = _words(language, "vendor_invitation", invitation.vendor)
    mail = Mail("vendor_invitation", invitation.email, language, words, link=link, token=token)
    return send_once(event_id, mail, allowed=lambda: may_invite(invitation.email))


def _owners(vendor: Vendor) -> Iterable[User]:
    members = VendorMember.objects.filter(vendor=vendor)
    owners = members.filter(role=VendorMember.Role.OWNER)
    people = owners if owners.exists() else members
    return User.objects.filter(pk__in=people.values("user_id"), is_active=True).order_by("pk")


def _words(language: str, kind: str, vendor: Vendor) -> Words:
    """The texts with what belongs into them; a name is what its owner likes, and never a template."""
    told = {"{vendor}": vendor.name, "{reason}": vendor.suspension_reason}
    words = VENDOR_TEXTS[language][kind]
    for mark, text in told.items():
        words = Words(*(each.replace(mark, text) for each in words))
    return words
