"""Mails' part of what is known of a person: that they were sent, by address."""

from typing import Any

from backend.accounts.models import User
from backend.core.personal import PersonalData
from backend.notifications.models import SentEmail


def export(user_id: int) -> list[dict[str, Any]]:
    email = User.objects.values_list("email", flat=True).get(pk=user_id)
    rows = SentEmail.objects.filter(recipient__iexact=email).order_by("sent_at")
    return [{"kind": row.kind, "subject": row.subject, "sent_at": row.sent_at} for row in rows]


def erase(user_id: int) -> None:
    """The rows stay, as they keep mails from being sent twice; the address goes."""
    email = User.objects.values_list("email", flat=True).get(pk=user_id)
    SentEmail.objects.filter(recipient__iexact=email).update(recipient="")


MAILS = PersonalData("mails", export, erase)
