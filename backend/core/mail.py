"""Emails of development: one .eml file each, that any mail program opens."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage as DjangoMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class FileBackend(BaseEmailBackend):
    """Writes to settings.MAIL_DIR. The name sorts by time."""

    def send_messages(self, email_messages: Sequence[DjangoMessage]) -> int:
        settings.MAIL_DIR.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{timezone.now():%Y%m%d-%H%M%S-%f}-{uuid4().hex[:6]}.eml"
            unfinished = settings.MAIL_DIR / f".{name}"
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.rename(settings.MAIL_DIR / name)
        return len(email_messages)


class Mail(NamedTuple):
    """A mail that was written to a file."""

    name: str
    subject: str
    to: str
    date: str
    text: str
    html: str


def mail_files(folder: Path) -> list[Path]:
    """The folder's mails, oldest first, less those that are being written."""
    return sorted(folder.glob("[!.]*.eml"))


def read_mails(folder: Path) -> list[Mail]:
    """The folder's mails, newest first."""
    return [read_mail(path) for path in reversed(mail_files(folder))]


def read_mail(path: Path) -> Mail:
    message = BytesParser(policy=default).parsebytes(path.read_bytes())
    return Mail(
        name=path.name,
        subject=str(message["subject"]),
        to=str(message["to"]),
        date=str(message["date"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return "" if body is None else str(body.get_content())
