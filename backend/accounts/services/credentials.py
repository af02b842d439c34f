"""Who somebody is by login and password: three steps, because hashing belongs on threads of its own.

    candidate = find_candidate(login=login)         # a database thread
    proof = check_password(candidate, password)     # a hashing thread
    outcome = sign_in(candidate=..., proof=proof)   # a database thread

Somebody who does not exist goes the same way, with a hash that no password has.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password as check_hash
from django.contrib.auth.hashers import get_hasher, identify_hasher, make_password

from backend.accounts.errors import InvalidCredentials, PasswordChanged, SignInAgain
from backend.accounts.models import Session, User
from backend.accounts.secrets import new_secret
from backend.core import clock

MAX_LOGIN = 254
MAX_PASSWORD = 1024
"""Longer ones are refused, never cut: hashing a megabyte costs what an attacker likes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Perhaps somebody; `password` is the hash to compare with in any case."""

    user: User | None
    password: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the password is right, and its new hash where the stored one is outdated."""

    right: bool
    better_hash: str | None = None


def find_candidate(*, login: str) -> Candidate:
    """Whoever has this email address or username; keyboards of phones put a space after what they complete."""
    user, login = None, login.strip()
    if 0 < len(login) <= MAX_LOGIN and login.isprintable():
        user = User.objects.with_login(login).first()
    return candidate_of(user)


def account_key(candidate: Candidate, login: str) -> str:
    """What tries are counted by: the account, or what was typed where there is none."""
    return f"user:{candidate.user.pk}" if candidate.user is not None else f"login:{login.strip()[:MAX_LOGIN].lower()}"


def candidate_of(user: User | None) -> Candidate:
    """Somebody who is known already, to ask for the password again."""
    usable = user is not None and user.is_active and user.has_usable_password()
    return Candidate(user if usable else None, user.password if user is not None and usable else _nobodys_hash())


def check_recent(*, session_id: UUID | None) -> None:
    """Raises SignInAgain, unless the session was begun (not renewed) within `RECENT_SIGN_IN_MINUTES`."""
    since = clock.now() - timedelta(minutes=settings.RECENT_SIGN_IN_MINUTES)
    if not Session.objects.filter(pk=session_id or UUID(int=0), created_at__gte=since, revoked_at=None).exists():
        raise SignInAgain


def prove_without_password(*, user: User, session_id: UUID | None) -> tuple[Candidate, Proof]:
    """For people who have no password: having signed in a moment ago stands for it. Raises SignInAgain."""
    check_recent(session_id=session_id)
    return Candidate(user, user.password), Proof(right=True)


def check_password(candidate: Candidate, password: str) -> Proof:
    """Compare, at the same cost for everybody. Knows no database."""
    if len(password) > MAX_PASSWORD:
        return Proof(right=False)
    right = check_hash(password, candidate.password) and candidate.user is not None
    return Proof(right, _better_hash(candidate, password) if right else None)


def accept(candidate: Candidate, proof: Proof) -> User:
    """The user whose password was right, locked until the transaction ends: whoever changes it waits, or was first.

    Raises InvalidCredentials, or PasswordChanged.
    """
    if candidate.user is None or not proof.right:
        raise InvalidCredentials
    user = User.objects.select_for_update(of=("self",), no_key=True).filter(pk=candidate.user.pk).first()
    if user is None or user.password != candidate.password:
        raise PasswordChanged
    if proof.better_hash is not None:
        user.password = proof.better_hash
        user.save(update_fields=["password"])
    return user


def _better_hash(candidate: Candidate, password: str) -> str | None:
    preferred = get_hasher()
    used = identify_hasher(candidate.password)
    outdated = used.algorithm != preferred.algorithm or preferred.must_update(candidate.password)
    return make_password(password) if outdated else None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return make_password(new_secret())
