"""Idempotency keys: same key and same input, same answer; other input, a clear error."""

import hashlib
from typing import Any

import orjson
from django.db import connection

from backend.core.errors import IdempotencyConflict, Invalid, Required
from backend.core.models import IdempotencyKey

MAX_KEY_LENGTH = 255

_CLAIM = """
INSERT INTO core_idempotencykey (scope, key, fingerprint, result_id) VALUES (%s, %s, %s, %s)
ON CONFLICT (scope, key) DO NOTHING RETURNING id
"""


def claim(*, scope: str, key: str, request: Any, result_id: Any = "") -> str | None:
    """Take the key in the caller's transaction; returns the earlier result's id when it was used before.

    `result_id` is what the key will have brought about, where that is known beforehand; else `record` it later.
    A second caller with the same key waits for the first one's commit and then sees its result; after a
    rollback the key is free again. Raises IdempotencyConflict when the input differs.
    """
    _check(key)
    fingerprint = hashlib.sha256(orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [scope, key, fingerprint, str(result_id)])
        if cursor.fetchone() is not None:
            return None
    earlier = IdempotencyKey.objects.get(scope=scope, key=key)
    if earlier.fingerprint != fingerprint:
        raise IdempotencyConflict(field=["idempotencyKey"])
    return earlier.result_id


def _check(key: str) -> None:
    if not key.strip():
        raise Required("Send a key of your own making, such as a random UUID.", field=["idempotencyKey"])
    if len(key) > MAX_KEY_LENGTH or not key.isprintable():
        message = f"An idempotency key has at most {MAX_KEY_LENGTH} characters and no control characters."
        raise Invalid(message, field=["idempotencyKey"])


def record(*, scope: str, key: str, result_id: Any) -> None:
    """Remember what the key brought about, in the same transaction."""
    IdempotencyKey.objects.filter(scope=scope, key=key).update(result_id=str(result_id))
