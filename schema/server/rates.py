"""How many operations a minute guests, customers, vendors and staff may run. Off, and free, until a setting says so."""

from django.conf import settings
from django.core.cache import caches
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from backend.core.caller import Caller, Role
from schema.server.context import Context
from schema.server.errors import coded
from schema.server.persisted_store import Away, store

WINDOW_S = 60
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
"""
_in_process = FixedWindowRateLimiter(MemoryStorage())
"""While Redis is away: each process counts for itself."""


async def check_rate(context: Context) -> None:
    """Count one operation of whoever asks. Raises RATE_LIMITED, with `retryAfter` in seconds."""
    kind = kind_of(context.caller)
    limit = settings.OPERATIONS_PER_MINUTE.get(kind)
    if limit is None:
        return
    subject = f"{kind}:{context.network if context.caller.user_id is None else context.caller.user_id}"
    wait_s = await _count(subject, limit)
    if wait_s:
        message = f"More operations than {limit} a minute. Go on in {wait_s} seconds."
        raise coded("RATE_LIMITED", message, retryAfter=wait_s)


def kind_of(caller: Caller) -> str:
    if caller.user_id is None:
        return "anonymous"
    if caller.is_staff:
        return "staff"
    return "vendor" if caller.has_role(Role.VENDOR) else "customer"


async def _count(subject: str, limit: int) -> int:
    """How many seconds to wait; 0 while there are operations left."""
    try:
        count, left_s = await store.ask("EVAL", _COUNT, 1, caches["default"].make_key(f"rate:{subject}"), WINDOW_S)
    except Away:
        return 0 if _in_process.hit(parse(f"{limit}/minute"), subject) else WINDOW_S
    return max(1, left_s) if count > limit else 0
