"""Access tokens: what stands in them, and how django-graphql-jwt is to write and read them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import jwt
from django.conf import settings
from graphql_jwt.exceptions import JSONWebTokenError, JSONWebTokenExpired
from graphql_jwt.shortcuts import get_token
from graphql_jwt.utils import get_payload

from backend.accounts import keys
from backend.accounts.models import RefreshToken, Session, User
from backend.accounts.secrets import hashed
from backend.core import clock
from backend.core.caller import STAFF_ROLES, Role

MAX_LENGTH = 4096
MAX_EXTRA = 20
"""So many permissions of one's own stand in a token. More are looked up: tokens have to fit in headers and cookies."""
_REQUIRED = ["exp", "iat", "sub", "sid", "jti", "aud", "iss"]
# The times are compared below: PyJWT would read the machine's clock, and ours can be moved in tests.
_OPTIONS: Any = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Grants(NamedTuple):
    """What somebody is and may do. `extra` are the permissions given to them alone, beside their roles'.

    `lacks_factor` is of somebody whose role asks for a second factor: until they have one, they may but enable it.
    """

    rights_version: int
    roles: frozenset[Role]
    extra: frozenset[str]
    is_superuser: bool
    lacks_factor: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """A verified access token."""

    user_id: int
    session_id: UUID
    expires_at: int
    grants: Grants

    @property
    def is_staff(self) -> bool:
        return self.grants.is_superuser or not STAFF_ROLES.isdisjoint(self.grants.roles)


class TokenRefused(Exception):
    """The access token is not taken: TOKEN_INVALID, TOKEN_EXPIRED (then refreshing helps), or UNAVAILABLE."""

    def __init__(self, reason: str = "TOKEN_INVALID") -> None:
        super().__init__(reason)
        self.reason = reason


class Issue(NamedTuple):
    """What a token is made of beside its user: the `context` of django-graphql-jwt's functions."""

    session: Session
    grants: Grants
    moment: datetime

    @property
    def ends(self) -> datetime:
        return self.moment + timedelta(minutes=settings.ACCESS_TOKEN_MINUTES)


def issue(user: User, session: Session, grants: Grants) -> tuple[str, datetime]:
    """An access token and when it ends."""
    context = Issue(session, grants, clock.now())
    return get_token(user, context), context.ends


def read(token: str) -> Claims:
    """What a token says, once all of it is checked but whether its session still lives. Raises TokenRefused."""
    if len(token) > MAX_LENGTH:
        raise TokenRefused
    try:
        claims = get_payload(token)
        grants = Grants(
            int(claims["rv"]),
            frozenset(map(Role, claims["roles"])),
            frozenset(claims.get("extra", ())),
            claims.get("su") is True,
            claims.get("lf") is True,
        )
        return Claims(int(claims["sub"]), UUID(hex=claims["sid"]), int(claims["exp"]), grants)
    except JSONWebTokenExpired as error:
        raise TokenRefused("TOKEN_EXPIRED") from error
    except (JSONWebTokenError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TokenRefused from error


# What GRAPHQL_JWT names ---------------------------------------------------------------------------


def payload(user: User, context: Issue) -> dict[str, Any]:
    """The claims of a new token. No email address: tokens end up in logs and browsers' storage."""
    grants = context.grants
    claims: dict[str, Any] = {
        "iss": settings.TOKEN_ISSUER,
        "aud": settings.TOKEN_AUDIENCE,
        "sub": str(user.pk),
        "sid": context.session.pk.hex,
        "jti": uuid4().hex,
        "iat": int(context.moment.timestamp()),
        "exp": int(context.ends.timestamp()),
        "rv": grants.rights_version,
        "roles": sorted(grants.roles),
    }
    if len(grants.extra) > MAX_EXTRA:
        claims["rv"] = 0  # nobody's version: as if their rights had changed since
    elif grants.extra:
        claims["extra"] = sorted(grants.extra)
    if grants.is_superuser:
        claims["su"] = True
    if grants.lacks_factor:
        claims["lf"] = True
    return claims


def encode(claims: dict[str, Any], context: Any = None) -> str:
    key = keys.signing_key()
    return jwt.encode(claims, key.private, settings.TOKEN_ALGORITHM, headers={"kid": key.kid})


def decode(token: str, context: Any = None) -> dict[str, Any]:
    """Raises jwt's errors. The algorithm is the shop's own, whatever the token's header says."""
    key = keys.key_of(jwt.get_unverified_header(token).get("kid"))
    if key is None:
        raise jwt.InvalidTokenError
    claims = jwt.decode(
        token,
        key.public,
        algorithms=[settings.TOKEN_ALGORITHM],
        audience=settings.TOKEN_AUDIENCE,
        issuer=settings.TOKEN_ISSUER,
        options=_OPTIONS,
    )
    moment, leeway = clock.now().timestamp(), settings.TOKEN_LEEWAY_S
    issued, ends = claims["iat"], claims["exp"]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (issued, ends)):
        raise jwt.InvalidTokenError
    if moment > ends + leeway:
        raise jwt.ExpiredSignatureError
    if issued > moment + leeway:
        raise jwt.ImmatureSignatureError
    return dict(claims)


def find_refresh_token(refresh_token_model: type[RefreshToken], token: str, context: Any = None) -> RefreshToken:
    """The row of a refresh token's text, locked; spent ones too, so that reuse is noticed."""
    row: RefreshToken = refresh_token_model.objects.select_for_update().get(token=hashed(token))
    return row


def subject(claims: dict[str, Any]) -> Any:
    return claims.get("sub")


def user_of_subject(key: str) -> User | None:
    return User.objects.filter(pk=int(key)).first() if key.isdecimal() else None
