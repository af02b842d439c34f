"""Paymob's HMAC: SHA-512 over twenty values in the order of their names, with nothing between them.

Nothing else of a message is protected: `merchant_order_id`, `is_refund`, `is_void` and what was refunded are not.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

FIELDS = (
    "amount_cents", "created_at", "currency", "error_occured", "has_parent_transaction", "id", "integration_id",
    "is_3d_secure", "is_auth", "is_capture", "is_refunded", "is_standalone_payment", "is_voided", "order.id", "owner",
    "pending", "source_data.pan", "source_data.sub_type", "source_data.type", "success",
)  # fmt: skip
CARD_FIELDS = ("card_subtype", "created_at", "email", "id", "masked_pan", "merchant_id", "order_id", "token")
"""Of messages about saved cards, which are no payments."""


def of_object(obj: Mapping[str, Any], names: tuple[str, ...] = FIELDS) -> dict[str, str | None]:
    """The signed values of a message's object, as they are signed; None for what is null or missing."""
    found: dict[str, str | None] = {}
    for name in names:
        value: Any = obj
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        found[name] = written(value)
    return found


def of_query(query: Mapping[str, str]) -> dict[str, str | None]:
    """The signed values of a browser's return: flat, texts already, and the order's id under another name."""
    order = query.get("order", query.get("order_id"))
    return {name: order if name == "order.id" else query.get(name) for name in FIELDS}


def written(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def signature(values: Mapping[str, str | None], secret: str, *, absent: str = "") -> str:
    text = "".join(absent if value is None else value for value in values.values())
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def is_signed(values: Mapping[str, str | None], secret: str, given: str) -> bool:
    """How what is missing is written is not documented, and concerns other ways than cards: both ways are tried."""
    ways = [signature(values, secret, absent=absent).encode() for absent in ("", "false")]
    return any(hmac.compare_digest(way, given.encode()) for way in ways)
