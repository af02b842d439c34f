"""What Redis knows of sessions: a mark for each that was asked about, so that requests need not ask PostgreSQL.

A mark is the user's rights version while the session lives, and `ENDED` once it was revoked. No mark means nothing:
PostgreSQL knows. A living mark is put only where there is none, so that it never covers an end.
"""

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django_redis import get_redis_connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
ENDED = b"-"
ALIVE_S = 60
"""How long a living mark stands: that late at most is an end seen that could not be told to Redis."""


def key_of(session_id: UUID) -> str:
    return str(caches["default"].make_key(f"session:{session_id.hex}"))


def channel_of(session_id: UUID) -> str:
    """Where sockets hear that their session has ended."""
    return f"session:{session_id.hex}"


def tell_ended(session_ids: Iterable[UUID]) -> None:
    """End sessions' access tokens at once, in every process. To be called when the end is in PostgreSQL."""
    ids = list(session_ids)
    stands_s = settings.ACCESS_TOKEN_MINUTES * 60 + settings.TOKEN_LEEWAY_S + ALIVE_S
    _write(dict.fromkeys(ids, ENDED), stands_s)


def tell_rights(versions: Mapping[UUID, int]) -> None:
    """Make the tokens of these living sessions stale: session -> its user's new rights version."""
    _write({each: str(version).encode() for each, version in versions.items()}, ALIVE_S)


def _write(marks: Mapping[UUID, bytes], stands_s: int) -> None:
    if not marks:
        return
    try:
        with get_redis_connection("default", write=True).pipeline(transaction=False) as pipeline:
            for each, mark in marks.items():
                pipeline.set(key_of(each), mark, ex=stands_s)
                if mark == ENDED:
                    pipeline.publish(channel_of(each), "ended")
            pipeline.execute()
    except (RedisError, OSError):
        logger.warning("Redis could not be told of %d sessions; it forgets them in %d s.", len(marks), ALIVE_S)
