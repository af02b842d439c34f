"""The tokens of mailed invitations: signed, good for a while, and once, as accepting deletes the row."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer

from backend.accounts.errors import TokenExpired, TokenInvalid
from backend.core import clock
from backend.vendors.models import VendorInvitation

MAX_LENGTH = 300
_SALT = "cartograph.vendor-invitation"


def expires_at(invitation: VendorInvitation) -> datetime:
    return invitation.sent_at + timedelta(hours=settings.EMAIL_LINK_HOURS)


def token_of(invitation: VendorInvitation) -> str:
    return Signer(salt=_SALT).sign_object({"i": invitation.pk, "s": _stamp(invitation)}, compress=False)


def invitation_of(token: str) -> VendorInvitation:
    """The invitation of a good token. Raises TokenInvalid, also for what was accepted, or TokenExpired."""
    if len(token) > MAX_LENGTH:
        raise TokenInvalid(field=["token"])
    try:
        content: dict[str, Any] = Signer(salt=_SALT).unsign_object(token)
    except (BadSignature, ValueError) as error:
        raise TokenInvalid(field=["token"]) from error
    found = VendorInvitation.objects.filter(pk=content["i"]).first()
    if found is None or content["s"] != _stamp(found):
        raise TokenInvalid(field=["token"])
    if expires_at(found) <= clock.now():
        raise TokenExpired(field=["token"])
    return found


def _stamp(invitation: VendorInvitation) -> int:
    return round(invitation.sent_at.timestamp() * 1_000_000)
