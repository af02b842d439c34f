"""Documents in Redis: registered ones expire when unused, trusted ones stay. By the settings of django-redis."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django_redis import get_redis_connection
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

PATIENCE_S = 0.5
"""How long a request waits for Redis, its turn at a connection included."""
CONNECTIONS = 16
"""How many connections a process opens: a burst of requests shares them."""
AWAY_S = 1.0
"""How long nobody asks again after Redis has failed."""
DAY_S = 24 * 60 * 60
_OPTIONS = {"USERNAME": "username", "PASSWORD": "password"}


class Away(Exception):
    """Redis cannot be asked right now."""


class _Client:
    """The client of one event loop, to one address."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: Mapping[str, Any]) -> None:
        self.loop = loop
        self.settings = settings
        location = settings["LOCATION"]
        # django-redis writes to the first of several.
        url = re.split("[;,]", location)[0] if isinstance(location, str) else location[0]
        given = settings.get("OPTIONS", {})
        options = {name: given[option] for option, name in _OPTIONS.items() if given.get(option)}
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=None, retry=Retry(NoBackoff(), 0), **options
        )
        self.redis: Redis = Redis.from_pool(pool)
        self.away_until = float("-inf")


class Store:
    """Every method raises Away when Redis does not answer soon."""

    def __init__(self) -> None:
        self._client: _Client | None = None

    async def trusted(self, name: str) -> str | None:
        """The text of a trusted document, by its id or hash."""
        return _text(await self.ask("HGET", trusted_key(), name))

    async def registered(self, hash: str) -> str | None:
        """The text that a client has registered; its expiry starts anew."""
        return _text(await self.ask("GETEX", _key(hash), "EX", _expiry_s()))

    async def keep(self, hash: str, text: str) -> None:
        """Register a text, or renew its expiry."""
        await self.ask("SET", _key(hash), text, "EX", _expiry_s())

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and client.loop is asyncio.get_running_loop():
            await client.redis.aclose()

    def _connected(self) -> _Client:
        loop, cache = asyncio.get_running_loop(), settings.CACHES["default"]
        client = self._client
        if client is None or client.loop is not loop or client.settings is not cache:
            client = self._client = _Client(loop, cache)
        return client

    async def ask(self, *command: Any) -> Any:
        """One command, over the connections that the process has anyway."""
        client = self._connected()
        if time.monotonic() < client.away_until:
            raise Away
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await client.redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            client.away_until = time.monotonic() + AWAY_S
            raise Away from error


store = Store()
"""The process's own."""


def load_trusted(texts: Mapping[str, str], *, replace: bool) -> None:
    """Add trusted documents by their names, or put them in the place of all others. For commands: it blocks."""
    with get_redis_connection("default", write=True).pipeline(transaction=True) as pipeline:
        if replace:
            pipeline.delete(trusted_key())
        if texts:
            pipeline.hset(trusted_key(), mapping=dict(texts))
        pipeline.execute()


def all_trusted() -> dict[str, str]:
    """All trusted documents by their names, ids and hashes. For commands: it blocks."""
    found = get_redis_connection("default").hgetall(trusted_key())
    return {name.decode(): text.decode() for name, text in found.items()}


def trusted_key() -> str:
    return str(caches["default"].make_key("documents:trusted"))


def _text(stored: bytes | None) -> str | None:
    return None if stored is None else stored.decode(errors="replace")


def _key(hash: str) -> str:
    return str(caches["default"].make_key(f"documents:registered:{hash}"))


def _expiry_s() -> int:
    return int(settings.PERSISTED_QUERY_DAYS * DAY_S)
