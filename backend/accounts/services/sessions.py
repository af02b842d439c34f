"""Signing in, staying signed in, and signing out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from graphql_jwt.exceptions import JSONWebTokenError
from graphql_jwt.refresh_token.shortcuts import get_refresh_token

from backend.accounts import marks, tokens
from backend.accounts.errors import TokenExpired, TokenInvalid
from backend.accounts.models import Challenge, RefreshToken, Session, User
from backend.accounts.queries import usable_grants_by_user
from backend.accounts.secrets import successor_of
from backend.core import clock, outbox
from backend.core.caller import Caller
from backend.core.errors import NotFound

MAX_USER_AGENT = 300
KEEP_DAYS = 30
STOLEN = "session.token_reused"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets that has signed in."""

    user: User
    session: Session
    grants: tokens.Grants
    access: str
    access_expires_at: datetime
    refresh: str
    refresh_expires_at: datetime


@transaction.atomic
def open_session(*, user: User, user_agent: str = "") -> Tokens:
    """Sign in somebody whose identity has been shown, on a new device. Raises TokenInvalid for whoever is inactive.

    Not for ways of signing in: those go through `complete_sign_in`, which asks for the second factor.
    """
    moment = clock.now()
    session = Session.objects.create(
        user=user, user_agent=_plain(user_agent), created_at=moment, last_used_at=moment, expires_at=_refresh_ends()
    )
    token = RefreshToken.objects.create(user=user, session=session, created=moment)
    User.objects.filter(pk=user.pk).update(last_login=moment)
    return _issue(user, session, token.get_token())


def refresh_session(*, refresh_token: str, user_agent: str = "") -> Tokens:
    """Trade a refresh token for its successor and a new access token.

    The same token again within the grace gives the same successor: two tabs are no thieves. Later it ends the whole
    family and emits `session.token_reused`. Raises TokenInvalid or TokenExpired.
    """
    with transaction.atomic():
        token = _find(refresh_token)
        session = Session.objects.select_related("user").get(pk=token.session_id)
        if session.revoked_at is not None or not session.user.is_active:
            raise TokenInvalid(field=["refreshToken"])
        moment = clock.now()
        if token.spent_at is None and session.expires_at <= moment:
            raise TokenExpired(field=["refreshToken"])
        if token.spent_at is None or moment - token.spent_at <= timedelta(seconds=settings.REFRESH_GRACE_S):
            return _rotate(token, refresh_token, session, user_agent)
        ended = end_sessions(Session.objects.filter(pk=session.pk))
        outbox.emit(STOLEN, key=session.pk, data={"user_id": session.user_id})
    marks.tell_ended(ended)
    raise TokenInvalid(field=["refreshToken"])


def _rotate(token: RefreshToken, text: str, session: Session, user_agent: str) -> Tokens:
    """Give the successor; the token's row is locked."""
    successor = successor_of(text, token.nonce)
    if token.spent_at is None:
        moment = clock.now()
        following = RefreshToken(user_id=token.user_id, session=session, created=moment)
        following.give(successor)
        following.save()
        token.spent_at = moment
        token.save(update_fields=["spent_at"])
        session.last_used_at, session.expires_at = moment, _refresh_ends()
        session.user_agent = _plain(user_agent) or session.user_agent
        session.save(update_fields=["last_used_at", "expires_at", "user_agent"])
    return _issue(session.user, session, successor)


def revoke_session(*, caller: Caller, session_id: UUID) -> bool:
    """Sign one of the caller's devices out; False when it was before. Raises NotFound also for somebody else's."""
    if caller.user_id is None:
        raise NotFound(field=["id"])
    own = Session.objects.filter(pk=session_id, user_id=caller.user_id)
    if not own.exists():
        raise NotFound(field=["id"])
    ended = end_sessions(own)
    marks.tell_ended([session_id])
    return bool(ended)


def revoke_all_sessions(*, user_id: int, but: UUID | None = None) -> int:
    """Sign out everywhere, but for one session where that is meant. Returns how many devices there were."""
    sessions = Session.objects.filter(user_id=user_id)
    ended = end_sessions(sessions if but is None else sessions.exclude(pk=but))
    Challenge.objects.filter(user_id=user_id, used_at=None).delete()
    marks.tell_ended(ended)
    return len(ended)


def revoke_by_refresh_token(*, refresh_token: str) -> bool:
    """Sign out the device that has this refresh token, spent or not; False when there is none."""
    with transaction.atomic():
        try:
            token = _find(refresh_token)
        except TokenInvalid:
            return False
        ended = end_sessions(Session.objects.filter(pk=token.session_id))
    marks.tell_ended(ended)
    return bool(ended)


def delete_old_sessions() -> int:
    """Forget sessions that were over a month ago, with their tokens: until then, reuse of those is noticed."""
    limit = clock.now() - timedelta(days=KEEP_DAYS)
    deleted, _ = Session.objects.filter(expires_at__lt=limit).delete()
    return deleted


def end_sessions(sessions: Any) -> list[UUID]:
    """Mark those that live as revoked; returns their ids, which the caller then tells to Redis."""
    with transaction.atomic():
        living = sessions.filter(revoked_at=None).order_by("pk")
        ids = list(living.select_for_update(of=("self",)).values_list("pk", flat=True))
        Session.objects.filter(pk__in=ids).update(revoked_at=clock.now())
    return ids


def _find(text: str) -> RefreshToken:
    try:
        return get_refresh_token(text)  # type: ignore[no-any-return]
    except JSONWebTokenError as error:
        raise TokenInvalid(field=["refreshToken"]) from error


def _issue(user: User, session: Session, refresh: str) -> Tokens:
    grants = usable_grants_by_user([user.pk]).get(user.pk)
    if grants is None:
        raise TokenInvalid
    access, ends = tokens.issue(user, session, grants)
    return Tokens(user, session, grants, access, ends, refresh, session.expires_at)


def _refresh_ends() -> datetime:
    return clock.now() + timedelta(days=settings.REFRESH_TOKEN_DAYS)


def _plain(user_agent: str) -> str:
    """What a client says of itself, fit for a column and a screen."""
    return "".join(each for each in user_agent if each.isprintable())[:MAX_USER_AGENT]
