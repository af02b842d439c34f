"""Mails about accounts. Links are made here, when the mail is: no table and no queue ever holds one."""

from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backend.accounts.links import EMAIL_LINK, PASSWORD_LINK
from backend.accounts.models import User
from backend.accounts.services import make_code
from backend.accounts.throttles import may_mail
from backend.core import clock, sms
from backend.core.once import claim
from backend.notifications.account_texts import ACCOUNT_TEXTS, CODE_BY_SMS
from backend.notifications.models import SentEmail
from backend.notifications.sending import language_of, send

_LIMITED = {"verify_email", "password_reset"}
_FORGOTTEN = {"account_deleted"}
"""Sent when nothing is to be known of somebody any more."""


@transaction.atomic
def send_account_mail(*, event_id: UUID, user_id: int, kind: str, to: str = "", language: str = "") -> bool:
    """Send one mail, once for each event; to the user's own address and in their language, where no other is given.

    False when it was sent before, there is nobody to send it to, or they have had enough of that kind.
    """
    user = User.objects.filter(pk=user_id).first()
    recipient = to or _address(user, kind)
    if user is None or not recipient:
        return False
    language = language if language in ACCOUNT_TEXTS else language_of(user)
    words = ACCOUNT_TEXTS[language][kind]
    subject = f"{words.subject} - {settings.SHOP_NAME}"
    _, first = SentEmail.objects.get_or_create(
        event_id=event_id,
        kind=kind,
        defaults={"recipient": "" if kind in _FORGOTTEN else recipient, "subject": subject, "sent_at": clock.now()},
    )
    if not first or (kind in _LIMITED and not may_mail(user.pk, kind)):
        return False
    token, link = _link(user, kind)
    context = {"words": words, "shop": settings.SHOP_NAME, "language": language, "link": link, "token": token}
    send(subject, recipient, context)
    return True


@transaction.atomic
def send_code(*, event_id: UUID, challenge_id: UUID) -> bool:
    """Make the code of a challenge and send it by email or SMS, to whoever has the destination; False where nobody has.

    The code is made here, when it is sent: no queue ever holds one. A crash in between sends another rather than none.
    """
    sending = make_code(challenge_id=challenge_id) if claim(event_id, "one_time_code") else None
    if sending is None:
        return False
    language = language_of(sending.user)
    if sending.by_sms:
        text = CODE_BY_SMS[language]
        text = text.format(shop=settings.SHOP_NAME, code=sending.code, minutes=settings.CODE_MINUTES)
        sms.sender().send(to=sending.destination, text=text)
        return True
    words = ACCOUNT_TEXTS[language]["one_time_code"]
    subject = f"{words.subject} - {settings.SHOP_NAME}"
    SentEmail.objects.create(
        event_id=event_id, kind="one_time_code", recipient=sending.user.email, subject=subject, sent_at=clock.now()
    )
    context = {"words": words, "shop": settings.SHOP_NAME, "language": language, "link": "", "token": sending.code}
    send(subject, sending.user.email, context)
    return True


def send_password_reset(*, event_id: UUID, email: str) -> bool:
    """Send a link to whoever has this address, to the address as it is stored; nothing where nobody has it."""
    user = User.objects.with_login(email).filter(is_active=True).first() if "@" in email else None
    return user is not None and send_account_mail(event_id=event_id, user_id=user.pk, kind="password_reset")


def _address(user: User | None, kind: str) -> str:
    if user is None or not user.is_active:
        return ""
    if kind != "verify_email":
        return user.email
    return user.pending_email or ("" if user.email_verified_at else user.email)


def _link(user: User, kind: str) -> tuple[str, str]:
    """The token, and the storefront's page that takes it; without such a page, the token alone."""
    made = {"verify_email": (EMAIL_LINK, settings.STOREFRONT_VERIFY_URL)}
    made["password_reset"] = (PASSWORD_LINK, settings.STOREFRONT_RESET_URL)
    if kind not in made:
        return "", ""
    link, page = made[kind]
    token = link.token(user)
    return token, page.format(token=quote(token, safe=""))
