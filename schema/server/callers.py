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
"""How long a process believes what the members of a role may do, where Redis tells of no change."""
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
        self.permissions_mark: bytes | None = None


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
    version, roles_mark = await _ask(claims)
    grants = await _current_grants(claims, version)
    permissions = await _permissions(grants, roles_mark)
    caller = Caller(
        claims.user_id, claims.session_id, grants.roles, permissions, grants.is_superuser, grants.lacks_factor
    )
    identity = Identity(caller, claims.expires_at)
    _process.identities[token] = _Known(identity, asked_at + KNOWN_S)
    _process.identities.move_to_end(token)
    if len(_process.identities) > MAX_KNOWN:
        _process.identities.popitem(last=False)
    return identity


async def _current_grants(claims: Claims, version: int) -> Grants:
    """What the token says, if nothing has changed since; else what PostgreSQL says."""
    if version == claims.grants.rights_version:
        return claims.grants
    found = await db(queries.usable_grants_by_user, [claims.user_id])
    if claims.user_id not in found:
        raise TokenRefused
    return found[claims.user_id]


async def _ask(claims: Claims) -> tuple[int, bytes | None]:
    """The newest version of the user's rights, and the mark of what roles may do.

    One question to Redis, and one to PostgreSQL where Redis does not know the session. While Redis is away, staff are
    refused: what they may do is not worth the risk.
    """
    try:
        mark, roles_mark = await store.ask("MGET", marks.key_of(claims.session_id), marks.roles_key())
    except Away:
        if claims.is_staff:
            raise TokenRefused("UNAVAILABLE") from None
        return await _from_postgres(claims.session_id), _process.permissions_mark
    if mark == marks.ENDED:
        raise TokenRefused
    if mark is not None:
        return int(mark), roles_mark
    version = await _from_postgres(claims.session_id)
    with suppress(Away):
        await store.ask("SET", marks.key_of(claims.session_id), version, "EX", marks.ALIVE_S, "NX")
    return version, roles_mark


async def _from_postgres(session_id: UUID) -> int:
    state = await db(queries.session_state, session_id)
    if not state.alive:
        raise TokenRefused
    return state.rights_version


async def _permissions(grants: Grants, mark: bytes | None) -> frozenset[str]:
    """By the table of what roles may do, which is read after the mark: another mark means that it was changed."""
    now = time.monotonic()
    if now >= _process.permissions_until or mark != _process.permissions_mark:
        _process.permissions = await db(queries.permissions_by_role)
        _process.permissions_until, _process.permissions_mark = now + PERMISSIONS_S, mark
    table = _process.permissions
    return grants.extra.union(*(table.get(role, frozenset()) for role in grants.roles))
