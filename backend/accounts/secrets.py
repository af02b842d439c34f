"""Random texts that only a client keeps. The shop keeps hashes: 256 random bits need no slow one."""

import base64
import hashlib
import hmac
import secrets


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def successor_of(text: str, nonce: str) -> str:
    """The next secret after this one: always the same, and nobody can tell it without both parts."""
    digest = hmac.digest(text.encode(), nonce.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
