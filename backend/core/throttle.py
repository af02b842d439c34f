"""How often something may be tried: counted in Redis by `limits`, in this process while Redis is away.

Several windows make a delay that grows: "5/minute;20/hour" lets five tries through at once, and then ever fewer.
`take` counts a try before its outcome is known, so that many at once do not all pass; one that went well is given back.
`check` and `count` are for what counts only when it went wrong, however many go on at once.
"""

import hashlib
import ipaddress
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from django_redis import get_redis_connection
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from backend.core.errors import DomainError

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
PREFIX = "cartograph:tries"


class TooManyAttempts(DomainError):
    """`retry_after_s` says when there is one more try."""

    code = "TOO_MANY_ATTEMPTS"
    default_message = "Too many tries; wait a while."


class Throttle:
    """One kind of tries, such as logins, with windows such as "5/minute;20/hour"."""

    def __init__(self, name: str, windows: str) -> None:
        self.name = name
        self._items: list[RateLimitItem] = parse_many(windows)

    def take(self, *subject: object) -> None:
        """Count one try of a subject (a user and an address, say). Raises TooManyAttempts; then nothing is counted."""
        _refuse(self._with_limiter(lambda limiter: self._take(limiter, self._key(subject))))

    def allows(self, *subject: object) -> bool:
        """Count one try of a subject, where there is one left; whether there was."""
        return not self._with_limiter(lambda limiter: self._take(limiter, self._key(subject)))

    def check(self, *subject: object) -> None:
        """Count nothing. Raises TooManyAttempts when no try is left, for what `count` counts."""
        _refuse(self._with_limiter(lambda limiter: self._wait_s(limiter, self._key(subject))))

    def count(self, *subject: object) -> None:
        """Count a try that went wrong, whether there was one left or not."""
        key = self._key(subject)
        self._with_limiter(lambda limiter: [limiter.hit(item, key) for item in self._items])

    def clear(self, *subject: object) -> None:
        """Forget what was counted."""
        key = self._key(subject)

        def clear(limiter: FixedWindowRateLimiter) -> None:
            for item in self._items:
                limiter.clear(item, key)

        self._with_limiter(clear)

    def give_back(self, *subject: object) -> None:
        """Uncount a try that went well."""
        key = self._key(subject)
        self._with_limiter(lambda limiter: [limiter.hit(item, key, cost=-1) for item in self._items])

    def _with_limiter(self, ask: Callable[[FixedWindowRateLimiter], Answer]) -> Answer:
        try:
            return ask(_in_redis())
        except (RedisError, OSError):
            logger.warning("Redis is away: tries are counted in this process alone.")
            return ask(_in_process())

    def _wait_s(self, limiter: FixedWindowRateLimiter, key: str) -> int:
        used_up = [item for item in self._items if not limiter.test(item, key)]
        return max((_until_more_s(limiter, item, key) for item in used_up), default=0)

    def _take(self, limiter: FixedWindowRateLimiter, key: str) -> int:
        """How many seconds to wait; 0 when the try was counted."""
        taken: list[RateLimitItem] = []
        for item in self._items:
            if limiter.hit(item, key):
                taken.append(item)
                continue
            for each in (*taken, item):
                limiter.hit(each, key, cost=-1)
            return _until_more_s(limiter, item, key)
        return 0

    def _key(self, subject: tuple[object, ...]) -> str:
        """Addresses of people are not kept, only what tells them apart."""
        text = "\x1f".join(map(str, (self.name, *subject)))
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def _until_more_s(limiter: FixedWindowRateLimiter, item: RateLimitItem, key: str) -> int:
    return max(1, round(limiter.get_window_stats(item, key).reset_time - time.time()))


def _refuse(wait_s: int) -> None:
    if wait_s:
        message = f"Too many tries. There is another one in {wait_s} seconds."
        raise TooManyAttempts(message, retry_after_s=wait_s)


def network_of(address: str) -> str:
    """What one household or office has: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


def _in_redis() -> FixedWindowRateLimiter:
    pool = get_redis_connection("default", write=True).connection_pool
    return _limiter_on(pool)


@lru_cache(maxsize=4)
def _limiter_on(pool: object) -> FixedWindowRateLimiter:
    storage: Storage = RedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX)  # type: ignore[arg-type]
    return FixedWindowRateLimiter(storage)


@lru_cache(maxsize=1)
def _in_process() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())
