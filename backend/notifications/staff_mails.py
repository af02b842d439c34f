"""Mails to those who look after payments: to the addresses that settings name, else to everybody who may decide.

Each has a mail of their own, and a link into the admin: who may not see a payment sees none there either.
"""

from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse

from backend.accounts.models import User
from backend.accounts.roles import GROUP_NAMES
from backend.core.caller import Role
from backend.notifications.account_texts import Words
from backend.notifications.sending import Mail, language_of, send_once
from backend.notifications.staff_texts import STAFF_TEXTS
from backend.orders.models import OrderEvent
from backend.payments.gateways import registry
from backend.payments.models import WebhookMessage


def send_payment_notice(*, event_id: UUID, order_id: UUID, sequence: int) -> int:
    """Tell staff what an order's event says of its payments; returns how many mails were sent. Raises OSError."""
    event = OrderEvent.objects.select_related("order").filter(order_id=order_id, sequence=sequence).first()
    if event is None:
        return 0
    link = f"{reverse('admin:payments_payment_changelist')}?{urlencode({'q': event.order.number})}"
    return _tell(event_id, "payment_notice", link, {"{number}": event.order.number, "{message}": event.message})


def send_webhook_notice(*, event_id: UUID, message_id: int) -> int:
    """Tell staff of a gateway's message that a worker gave up; returns how many mails were sent. Raises OSError."""
    message = WebhookMessage.objects.filter(pk=message_id).first()
    if message is None:
        return 0
    link = f"{reverse('admin:payments_webhookmessage_changelist')}?{urlencode({'state__exact': message.state})}"
    return _tell(event_id, "webhook_notice", link, {"{gateway}": registry.name_of(message.gateway)})


def _tell(event_id: UUID, kind: str, path: str, told: dict[str, str]) -> int:
    """Each mail in a transaction of its own: an address that is refused keeps none from the others, nor sends them two.

    Raises OSError, once all others are sent: run it again.
    """
    sent, refused = 0, None
    for address, language in _recipients():
        words = _words(STAFF_TEXTS[language][kind], told)
        own = f"{kind}_{sha256(address.lower().encode()).hexdigest()[:16]}"
        try:
            with transaction.atomic():
                sent += send_once(event_id, Mail(own, address, language, words, link=f"{settings.PUBLIC_URL}{path}"))
        except OSError as error:  # mail servers' errors are among these
            refused = error
    if refused is not None:
        raise refused
    return sent


def _recipients() -> Iterable[tuple[str, str]]:
    """Addresses, each once, and the language that each is written in."""
    if settings.STAFF_NOTICE_EMAILS:
        return [(address, language_of(None)) for address in dict.fromkeys(settings.STAFF_NOTICE_EMAILS)]
    managers = Group.objects.filter(name=GROUP_NAMES[Role.ORDER_MANAGER])
    users = User.objects.filter(is_active=True, groups__in=managers).exclude(email="").order_by("pk")
    return [(user.email, language_of(user)) for user in users]


def _words(words: Words, told: dict[str, str]) -> Words:
    """The texts with what belongs into them; what a gateway or a buyer wrote is text, and never a template."""
    for mark, text in told.items():
        words = Words(*(each.replace(mark, " ".join(text.split())) for each in words))
    return words
