"""One mail of the shop's: rendered, sent once for each event, and noted."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from backend.accounts.models import Customer, User
from backend.core import clock
from backend.notifications.account_texts import ACCOUNT_TEXTS, Words
from backend.notifications.models import SentEmail


@dataclass(frozen=True, slots=True)
class Mail:
    """`kind` names it among those of one event; a token is shown where there is no link."""

    kind: str
    to: str
    language: str
    words: Words
    link: str = ""
    token: str = ""


def send_once(event_id: UUID, mail: Mail, *, allowed: Callable[[], bool] = lambda: True) -> bool:
    """Send a mail, unless it was sent for this event or is not allowed; inside a transaction, which keeps the note."""
    subject = f"{mail.words.subject} - {settings.SHOP_NAME}"
    noted = {"recipient": mail.to, "subject": subject[:300], "sent_at": clock.now()}
    _, first = SentEmail.objects.get_or_create(event_id=event_id, kind=mail.kind, defaults=noted)
    if not first or not allowed():
        return False
    context = {"words": mail.words, "language": mail.language, "link": mail.link, "token": mail.token}
    send(subject, mail.to, {**context, "shop": settings.SHOP_NAME})
    return True


def send(subject: str, recipient: str, context: dict[str, Any]) -> None:
    """Render and send. The context has `words`, `shop`, `language`, `link` and `token`."""
    text = render_to_string("notifications/account.txt", context)
    html = render_to_string("notifications/account.html", context)
    message = EmailMultiAlternatives(subject, text, to=[recipient], headers={"Date": format_datetime(clock.now())})
    message.attach_alternative(html, "text/html")
    message.send()


def language_of(user: User | None) -> str:
    """What somebody's mails are written in; the shop's own for whoever has told none."""
    wanted = Customer.objects.filter(user=user).values_list("language", flat=True).first() if user else None
    return next((str(each) for each in (wanted, settings.DEFAULT_LANGUAGE) if each in ACCOUNT_TEXTS), "en")
