"""Webhook signatures: `t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<raw body>" in hex>`, as Stripe's are made."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings

from backend.core import clock

HEADER = "sandbox-signature"
TOLERANCE_S = 300


def sign(body: bytes, *, timestamp: int | None = None) -> str:
    moment = int(clock.now().timestamp()) if timestamp is None else timestamp
    return f"t={moment},v1={_digest(moment, body)}"


def is_authentic(body: bytes, header: str, *, received_at: datetime | None = None) -> bool:
    """Whether the secret's owner signed this body within five minutes before it came. Compared in constant time."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    moment = parts.get("t", "")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 15):
        return False
    expected = _digest(int(moment), body)
    fresh = abs((received_at or clock.now()).timestamp() - int(moment)) <= TOLERANCE_S
    return hmac.compare_digest(expected.encode(), parts.get("v1", "").encode()) and fresh


def _digest(moment: int, body: bytes) -> str:
    secret = settings.SANDBOX_WEBHOOK_SECRET.encode()
    return hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
