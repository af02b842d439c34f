"""What Redis knows of sessions: a mark for each that was asked about, so that requests need not ask PostgreSQL.

A mark is the user's rights version while the session lives, and `ENDED` once it was revoked. No mark means nothing:
PostgreSQL knows. A living mark never covers an end, nor a newer version: whoever has read one may write it late.
"""

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from backend.accounts.secrets import new_secret

logger = logging.getLogger(__name__)
ENDED = b"-"
_PUT_NEWER = """
local mark = redis.call('GET', KEYS[1])
if not mark or (mark ~= '-' and tonumber(mark) < tonumber(ARGV[1])) then
    redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
"""
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


def roles_key() -> str:
    return str(caches["default"].make_key("roles"))


def tell_roles() -> None:
    """Have every process read anew what the members of roles may do. To be called when it is in PostgreSQL.

    A number that is counted would begin anew with a new Redis, and then be one that a process has seen.
    """
    try:
        get_redis_connection("default", write=True).set(roles_key(), new_secret())
    except (RedisError, OSError):
        logger.warning("Redis could not be told of changed roles: processes see them some seconds later.")


def _write(marks: Mapping[UUID, bytes], stands_s: int) -> None:
    if not marks:
        return
    try:
        with get_redis_connection("default", write=True).pipeline(transaction=False) as pipeline:
            for each, mark in marks.items():
                if mark == ENDED:
                    pipeline.set(key_of(each), mark, ex=stands_s)
                    pipeline.publish(channel_of(each), "ended")
                else:
                    pipeline.eval(_PUT_NEWER, 1, key_of(each), mark, stands_s)
            pipeline.execute()
    except (RedisError, OSError):
        logger.warning("Redis could not be told of %d sessions; it forgets them in %d s.", len(marks), ALIVE_S)
