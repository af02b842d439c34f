"""Mails' part of what is known of a person: that they were sent, by address."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower

from backend.accounts.models import User
from backend.core.personal import PersonalData
from backend.notifications.models import SentEmail
from backend.orders.models import Order


def export(user_id: int) -> list[dict[str, Any]]:
    rows = _sent_to(user_id).order_by("sent_at", "pk")
    return [{"kind": row.kind, "to": row.recipient, "subject": row.subject, "sent_at": row.sent_at} for row in rows]


def erase(user_id: int) -> None:
    """The rows stay, as they keep mails from being sent twice; the address goes."""
    _sent_to(user_id).update(recipient="")


def _sent_to(user_id: int) -> QuerySet[SentEmail]:
    """To the account's address, and to those of the customer's orders."""
    emails = User.objects.filter(pk=user_id).values_list(Lower("email"), flat=True)
    told = Order.objects.filter(customer_id=user_id).values_list(Lower("email"), flat=True)
    known = {each for each in (*emails, *told) if each}
    return SentEmail.objects.alias(lowered=Lower("recipient")).filter(lowered__in=known)


MAILS = PersonalData("mails", export, erase)
