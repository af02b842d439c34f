"""Who is behind an access token. A request without one costs nothing here."""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from starlette.requests import HTTPConnection

from backend.accounts import marks, queries
from backend.accounts.tokens import Claims, Grants, TokenRefused, read
from backend.core import clock
from backend.core.caller import Caller, Role
from schema.server.cookies import access_cookie
from schema.server.db import db
from schema.server.persisted_store import Away, store
from schema.server.pubsub import pubsub

KNOWN_S = 1.0
"""How long a process believes what it found out about a token."""
PERMISSIONS_S = 5.0
"""How long a process believes what the members of a role may do."""
MAX_KNOWN = 10_000
LOOK_AGAIN_S = 30.0
"""How often a stream asks about its session, in case it was not told."""
_BEARER = "bearer "


class Identity(NamedTuple):
    """A caller, and when their access token ends (Unix time)."""

    caller: Caller
    expires_at: int


class _Known(NamedTuple):
    identity: Identity
    until: float


class _Process:
    """What this process has found out lately."""

    def __init__(self) -> None:
        self.identities: OrderedDict[str, _Known] = OrderedDict()
        self.permissions: dict[Role, frozenset[str]] = {}
        self.permissions_until = float("-inf")


_process = _Process()


def forget() -> None:
    """Ask anew about every token: after what this very process has changed."""
    _process.identities.clear()
    _process.permissions_until = float("-inf")


async def is_over(token: str) -> bool:
    """Whether a token is good no more, asked anew."""
    _process.identities.pop(token, None)
    try:
        await identify(token)
    except TokenRefused:
        return True
    return False


async def until_over(token: str, caller: Caller, expires_at: int) -> None:
    """Return when the token's time is over or its session has ended, whichever comes first."""
    assert caller.session_id is not None
    async with pubsub().subscribe(marks.channel_of(caller.session_id)) as told:
        while True:
            told.clear()
            left_s = expires_at + settings.TOKEN_LEEWAY_S - clock.now().timestamp()
            if left_s <= 0 or await is_over(token):
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await told.wait()


def bearer(value: object) -> str | None:
    """The token of an Authorization header; None for other schemes, which are not ours to judge."""
    if not isinstance(value, str) or value[: len(_BEARER)].lower() != _BEARER:
        return None
    return value[len(_BEARER) :].strip()


def token_of(request: HTTPConnection) -> str | None:
    """The access token that a request carries: in its Authorization header, or else in a cookie."""
    cookie: bytes | None = None
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return bearer(value.decode("latin-1"))
        if name == b"cookie":
            cookie = value
    return None if cookie is None else access_cookie(request, cookie)


async def identify(token: str) -> Identity:
    """Whose token that is. Raises TokenRefused when it is not good, or not any more."""
    known = _process.identities.get(token)
    if known is not None and time.monotonic() < known.until and clock.now().timestamp() < known.identity.expires_at:
        return known.identity
    asked_at = time.monotonic()
    claims = read(token)
    grants = await _current_grants(claims)
    permissions = await _permissions(grants)
    caller = Caller(
        claims.user_id, claims.session_id, grants.roles, permissions, grants.is_superuser, grants.lacks_factor
    )
    identity = Identity(caller, claims.expires_at)
    _process.identities[token] = _Known(identity, asked_at + KNOWN_S)
    _process.identities.move_to_end(token)
    if len(_process.identities) > MAX_KNOWN:
        _process.identities.popitem(last=False)
    return identity


async def _current_grants(claims: Claims) -> Grants:
    """What the token says, if its session lives and nothing has changed since; else what PostgreSQL says."""
    version = await _rights_version(claims)
    if version == claims.grants.rights_version:
        return claims.grants
    found = await db(queries.usable_grants_by_user, [claims.user_id])
    if claims.user_id not in found:
        raise TokenRefused
    return found[claims.user_id]


async def _rights_version(claims: Claims) -> int:
    """The newest version of the user's rights: one question to Redis, and one to PostgreSQL where Redis knows nothing.

    While Redis is away, staff are refused: what they may do is not worth the risk.
    """
    try:
        mark = await store.ask("GET", marks.key_of(claims.session_id))
    except Away:
        if claims.is_staff:
            raise TokenRefused("UNAVAILABLE") from None
        return await _from_postgres(claims.session_id)
    if mark == marks.ENDED:
        raise TokenRefused
    if mark is not None:
        return int(mark)
    version = await _from_postgres(claims.session_id)
    with suppress(Away):
        await store.ask("SET", marks.key_of(claims.session_id), version, "EX", marks.ALIVE_S, "NX")
    return version


async def _from_postgres(session_id: UUID) -> int:
    state = await db(queries.session_state, session_id)
    if not state.alive:
        raise TokenRefused
    return state.rights_version


async def _permissions(grants: Grants) -> frozenset[str]:
    now = time.monotonic()
    if now >= _process.permissions_until:
        _process.permissions = await db(queries.permissions_by_role)
        _process.permissions_until = now + PERMISSIONS_S
    table = _process.permissions
    return grants.extra.union(*(table.get(role, frozenset()) for role in grants.roles))
