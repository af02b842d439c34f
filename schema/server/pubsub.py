"""Wake-ups from Redis: one connection a process, fanned out in memory. Never the truth, only a reason to look."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

RECONNECT_S = 1.0


class PubSub:
    """Subscribers wait on an event each: wake-ups that come while one is busy merge into one."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(url, health_check_interval=15)
        self._channels: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever the channel speaks, and after every reconnection."""
        event = asyncio.Event()
        self._channels[channel].add(event)
        self._changed.set()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_forever())
        try:
            yield event
        finally:
            self._channels[channel].discard(event)
            if not self._channels[channel]:
                del self._channels[channel]
                self._changed.set()

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._redis.aclose()

    async def _read_forever(self) -> None:
        while self._channels:
            try:
                await self._read()
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_S)

    async def _read(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            known: set[str] = set()
            while self._channels:
                known = await self._follow(pubsub, known)
                if not known:
                    continue
                message = await pubsub.get_message(timeout=0.2)
                if message is not None:
                    self._wake(message["channel"].decode())

    async def _follow(self, pubsub: "object", known: set[str]) -> set[str]:
        """Subscribe to what is new and leave what nobody waits for; the new are woken once, in case they missed one."""
        wanted = set(self._channels)
        if new := wanted - known:
            await pubsub.subscribe(*new)  # type: ignore[attr-defined]
            for channel in new:
                self._wake(channel)
        if gone := known - wanted:
            await pubsub.unsubscribe(*gone)  # type: ignore[attr-defined]
        return wanted

    def _wake(self, channel: str) -> None:
        for event in self._channels.get(channel, ()):
            event.set()


_instances: dict[asyncio.AbstractEventLoop, PubSub] = {}


def pubsub() -> PubSub:
    """The process's one instance (of the running event loop)."""
    loop = asyncio.get_running_loop()
    if loop not in _instances:
        _instances[loop] = PubSub(settings.REDIS_URL)
    return _instances[loop]


async def close() -> None:
    instance = _instances.pop(asyncio.get_running_loop(), None)
    if instance is not None:
        await instance.close()
