"""Text messages: who sends them is a setting, and anything that has `send` will do."""

import sys
from typing import Protocol

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

TIMEOUT_S = 10


class SmsSender(Protocol):
    """Made without arguments, once for each message."""

    def send(self, *, to: str, text: str) -> None:
        """Have a text sent to a number such as "+14155552671". Raises what went wrong: it is tried again."""


class ConsoleSender:
    """Of development: the worker's terminal shows what a phone would."""

    def send(self, *, to: str, text: str) -> None:
        sys.stdout.write(f"SMS to {to}: {text}\n")
        sys.stdout.flush()


class HttpSender:
    """A provider's, or a small bridge's, address that takes JSON: {"to", "from", "text"}."""

    def send(self, *, to: str, text: str) -> None:
        headers = {"Authorization": f"Bearer {settings.SMS_TOKEN}"} if settings.SMS_TOKEN else {}
        body = {"to": to, "from": settings.SMS_FROM, "text": text}
        httpx.post(settings.SMS_URL, json=body, headers=headers, timeout=TIMEOUT_S).raise_for_status()


_SHIPPED: dict[str, type[SmsSender]] = {"console": ConsoleSender, "http": HttpSender}


def sender() -> SmsSender:
    """What SMS_SENDER names. Raises ImproperlyConfigured."""
    name = settings.SMS_SENDER
    if name in _SHIPPED:
        return _SHIPPED[name]()
    try:
        made: SmsSender = import_string(name)()
    except ImportError as error:
        message = f"SMS_SENDER is empty, {', '.join(_SHIPPED)} or the path of a class, not {name!r}."
        raise ImproperlyConfigured(message) from error
    return made


def check() -> None:
    """Raises ImproperlyConfigured, in one sentence, when SMS_SENDER names nothing that could send."""
    if settings.SMS_SENDER:
        sender()
