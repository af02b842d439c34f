"""Secrets that the shop itself must be able to read again: kept sealed with a key that is in no database."""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """Sealed with a SECRET_KEY that the shop knows no more."""


def seal(secret: bytes) -> str:
    return _box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(secret).decode()


def unseal(sealed: str) -> bytes:
    """The secret, also when a former SECRET_KEY has sealed it. Raises Unreadable."""
    try:
        return _box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).decrypt(sealed.encode())
    except InvalidToken as error:
        raise Unreadable from error


@lru_cache(maxsize=8)
def _box(*secret_keys: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived(each)) for each in secret_keys])


def _derived(secret_key: str) -> bytes:
    """A key of its own, so that what SECRET_KEY signs elsewhere opens nothing."""
    digest = hmac.digest(secret_key.encode(), b"cartograph second factors", hashlib.sha256)
    return base64.urlsafe_b64encode(digest)
