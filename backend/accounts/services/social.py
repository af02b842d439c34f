"""Signing in with a provider: four steps, because the network belongs neither in a transaction nor on its threads.

started = start_social(provider=..., redirect_uri=...)   # the browser goes to started.authorization_url
begun = take_start(provider=..., state=..., binding=...)  # a database thread: once, and for that browser alone
identity = ask_provider(begun, code)                      # a thread that may wait for others
tokens = finish_social(identity, ...)                     # a database thread
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare
from requests import RequestException
from social_core.exceptions import AuthPolicyError, AuthProviderError, SocialAuthBaseException

from backend.accounts import marks
from backend.accounts.errors import CodeInvalid, EmailNotConfirmed, ProviderUnavailable, TokenExpired, TokenInvalid
from backend.accounts.models import Challenge, SocialStart
from backend.accounts.sealing import Unreadable, seal, unseal
from backend.accounts.secrets import hashed, new_secret
from backend.accounts.services.sessions import Tokens
from backend.accounts.services.signing_in import complete_sign_in
from backend.accounts.social.providers import SocialProvider, offered
from backend.accounts.social.strategy import Storage, Strategy, backend_of
from backend.core import clock
from backend.core.errors import Invalid

MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Started:
    """`binding` is for the browser that has begun, and for no address bar."""

    authorization_url: str
    state: str
    binding: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun, and is taken up again."""

    provider: SocialProvider
    state: str
    redirect_uri: str
    kept: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is by the word of a provider."""

    begun: Begun
    response: dict[str, Any]


def start_social(*, provider: SocialProvider, redirect_uri: str) -> Started:
    """Where to send the browser. Raises Invalid for a provider or a page that the shop does not offer."""
    if provider not in offered():
        raise Invalid("The shop does not offer this provider.", field=["provider"])
    _check_redirect_uri(redirect_uri)
    strategy = Strategy()
    url = backend_of(provider, strategy, redirect_uri).auth_url()
    [state] = [each["state"] for name, each in strategy.kept.items() if "_oauth2_state_" in name]
    binding, moment = new_secret(), clock.now()
    SocialStart.objects.create(
        state_hash=hashed(state),
        binding_hash=hashed(binding),
        provider=provider,
        redirect_uri=redirect_uri,
        sealed=seal(orjson.dumps(strategy.kept)),
        expires_at=moment + timedelta(minutes=settings.CODE_MINUTES * 2),
    )
    return Started(url, state, binding)


def take_start(*, provider: SocialProvider, state: str, binding: str | None) -> Begun:
    """What was begun under this state, once. Another browser's guess leaves it as it is.

    Raises TokenInvalid for an unknown or used state, another provider's, or another browser's; TokenExpired.
    """
    with transaction.atomic():
        row = SocialStart.objects.select_for_update().filter(state_hash=hashed(state), provider=provider).first()
        if row is None or not constant_time_compare(hashed(binding or ""), row.binding_hash):
            raise TokenInvalid("This sign-in was not begun in this browser, or is over.", field=["state"])
        row.delete()
    if row.expires_at <= clock.now():
        raise TokenExpired(field=["state"])
    try:
        kept = orjson.loads(unseal(row.sealed))
    except Unreadable as error:
        raise TokenExpired(field=["state"]) from error
    return Begun(provider, state, row.redirect_uri, kept)


def ask_provider(begun: Begun, code: str) -> Identity:
    """Trade the code for what the provider says of its owner. Waits for the network; writes nothing.

    Raises CodeInvalid, EmailNotConfirmed, or ProviderUnavailable.
    """
    if not code or len(code) > MAX_TEXT:
        raise CodeInvalid(field=["code"])
    strategy = Strategy(kept=dict(begun.kept), sent={"code": code, "state": begun.state})
    backend = backend_of(begun.provider, strategy, begun.redirect_uri)
    try:
        backend.auth_complete()
    except SocialAuthBaseException as error:
        raise _refusal(error) from error
    except (RequestException, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ProviderUnavailable(field=["provider"]) from error  # an answer that makes no sense
    if strategy.asked is None:
        raise ProviderUnavailable(field=["provider"])
    return Identity(begun, strategy.asked)


def finish_social(
    identity: Identity, *, language: str, user_agent: str = "", cart_id: str | None = None
) -> Tokens | Challenge:
    """Sign the owner of a provider's account in, on the account that is linked to it, or is linked or made now.

    Raises EmailNotConfirmed, AccountClosed, or Invalid for an address that the shop takes from nobody.
    """
    try:
        return _finish(identity, language, user_agent, cart_id)
    except IntegrityError:  # somebody took the same address in the same moment: now they are found
        return _finish(identity, language, user_agent, cart_id)


def delete_old_starts() -> int:
    """Forget what was begun and never finished."""
    deleted, _ = SocialStart.objects.filter(expires_at__lt=clock.now()).delete()
    return deleted


def _finish(identity: Identity, language: str, user_agent: str, cart_id: str | None) -> Tokens | Challenge:
    begun, strategy = identity.begun, Strategy()
    backend = backend_of(begun.provider, strategy, begun.redirect_uri)
    with transaction.atomic():
        given = {"strategy": strategy, "storage": Storage, "backend": backend, "language": language}
        try:
            user: Any = backend.authenticate(response=dict(identity.response), **given)
        except SocialAuthBaseException as error:
            raise ProviderUnavailable(field=["provider"]) from error
        outcome = complete_sign_in(user=user, user_agent=user_agent, cart_id=cart_id)
    marks.tell_ended(getattr(user, "ended_sessions", ()))
    return outcome


def _refusal(error: SocialAuthBaseException) -> Exception:
    if error.claim == "email_verified" or isinstance(error, AuthPolicyError):
        return EmailNotConfirmed(field=["provider"])
    if isinstance(error, AuthProviderError) or error.stage == "user_info":
        return ProviderUnavailable(field=["provider"])
    return CodeInvalid(field=["code"])


def _check_redirect_uri(uri: str) -> None:
    """One of the shop's pages: somewhere else a stranger would read the code."""
    allowed = settings.SOCIAL_REDIRECT_URIS
    try:
        parts = urlsplit(uri)
        is_page = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
    except ValueError:
        is_page = False
    fits = 0 < len(uri) <= MAX_TEXT and uri.isascii() and uri.isprintable()
    if not fits or (uri not in allowed if allowed or settings.PRODUCTION else not is_page):
        raise Invalid("Not a page that the shop sends people back to.", field=["redirectUri"])
