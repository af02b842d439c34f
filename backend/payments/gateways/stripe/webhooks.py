"""Stripe's messages: authenticated here, believed nowhere. They say which payment to ask about."""

from collections.abc import Mapping
from typing import Any

import orjson
import stripe

from backend.core import clock
from backend.payments.gateways.base import GatewayMessage, IncomingMessage, SignatureInvalid

HEADER = "stripe-signature"
TOLERANCE_S = 300
REFUNDS = {"look_for": "refunds"}
"""For `verify`: a refund that failed leaves no trace in the charge's sums."""


def authenticate(message: IncomingMessage, secret: str) -> None:
    """Raises SignatureInvalid. The SDK compares signatures; the time is compared here, on both sides: it lets a
    message from the future pass, and knows only the wall clock."""
    header = message.headers.get(HEADER, "")
    try:
        stripe.WebhookSignature.verify_header(message.body, header, secret, tolerance=None)
        moment = int(next(part for part in header.split(",") if part.startswith("t="))[2:])
    except (stripe.SignatureVerificationError, ValueError, TypeError, StopIteration):
        raise SignatureInvalid from None
    came = message.received_at or clock.now()
    if abs(came.timestamp() - moment) > TOLERANCE_S:
        raise SignatureInvalid


def read(message: IncomingMessage) -> GatewayMessage:
    """Which payment an authentic message is about. Raises SignatureInvalid for what is no event."""
    try:
        event = orjson.loads(message.body)
        event_id, kind, told = _text(event["id"]), _text(event["type"]), event["data"]["object"]
        if not event_id or not isinstance(told, dict):
            raise TypeError("no event")
        payment_id, reference = _named(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SignatureInvalid("signed, but no event") from error
    return GatewayMessage(
        event_id=event_id,
        payment_id=payment_id,
        reference=reference,
        kind=kind,
        data=REFUNDS if "refund" in kind else {},
    )


def _named(told: Mapping[str, Any]) -> tuple[str, str]:
    """Our payment's id where Stripe keeps it for us, and Stripe's own; empty where the object has none."""
    kind = told.get("object")
    if kind not in ("payment_intent", "checkout.session", "charge", "refund", "dispute", "review"):
        return "", ""
    metadata = told.get("metadata") or {}
    payment_id = _text(metadata.get("payment_id") or told.get("client_reference_id") or "")
    own = told["id"] if kind in ("payment_intent", "checkout.session") else told.get("payment_intent")
    return payment_id, _text((own.get("id") if isinstance(own, dict) else own) or "")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
