"""Changing a password, and getting in again without one."""

import hashlib

from django.contrib.auth.hashers import make_password
from django.db import transaction

from backend.accounts import checking, marks
from backend.accounts.errors import InvalidCredentials
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Challenge, Session, User
from backend.accounts.power import is_more_than_customer
from backend.accounts.services.credentials import MAX_LOGIN, Candidate, Proof
from backend.accounts.services.handing_over import hand_over
from backend.accounts.services.registration import MAIL
from backend.accounts.services.second_factor import forget_second_factor
from backend.accounts.services.sessions import Tokens, end_sessions
from backend.accounts.services.signing_in import complete_sign_in, forget_challenges
from backend.core import clock, outbox
from backend.core.caller import Caller


def check_password_change(*, user: User, new: str) -> None:
    """Raises PasswordTooWeak or Invalid."""
    checking.check_new_password(new, user, "newPassword")


def hash_password(password: str) -> str:
    """For a hashing thread."""
    return make_password(password)


def change_password(*, caller: Caller, candidate: Candidate, proof: Proof, new_hash: str) -> User:
    """Set a new password after the old one was shown; every other device is signed out.

    Raises InvalidCredentials, also when the password was changed in the meantime. The row is locked so that a refresh,
    which holds a session and writes a token of the user's, waits for nobody here.
    """
    with transaction.atomic():
        if candidate.user is None or not proof.right:
            raise InvalidCredentials("This is not your password.", field=["currentPassword"])
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=candidate.user.pk)
        if user.password != candidate.password:
            raise InvalidCredentials("This is not your password.", field=["currentPassword"])
        ended = _set(user, new_hash, but=caller)
    marks.tell_ended(ended)
    return user


@transaction.atomic
def request_password_reset(*, email: str) -> None:
    """Have a worker mail a link, if there is such an account: here it is not even looked for.

    So the answer and its time are the same for everybody.
    """
    typed = email.strip()[:MAX_LOGIN]
    key = hashlib.sha256(typed.lower().encode(errors="replace")).hexdigest()[:32]
    outbox.emit("password.reset_requested", key=key, data={"email": typed.replace("\x00", "")})


def check_password_reset(*, token: str, new: str) -> None:
    """Raises TokenInvalid, TokenExpired, PasswordTooWeak or Invalid, before anything is hashed."""
    with transaction.atomic():
        user = PASSWORD_LINK.user_of(token)
        checking.check_new_password(new, user, "newPassword")


def reset_password(*, token: str, new_hash: str, user_agent: str = "") -> Tokens | Challenge:
    """Set a password by a mailed link: every device is signed out, and the one that asks signed in or challenged.

    Whoever has opened the link has shown that the address is theirs. Raises TokenInvalid, also the second time.
    """
    with transaction.atomic():
        user = PASSWORD_LINK.user_of(token)
        if user.email_verified_at is None:
            # Perhaps a stranger has registered it, still gets codes to a phone, has linked a provider of their own, has
            # parcels sent to an address of theirs, or keeps its owner out by a second factor. That of people with more
            # rights stays: mailboxes get stolen, too.
            if not is_more_than_customer(user):
                forget_second_factor(user)
            user.email_verified_at, user.phone_verified_at = clock.now(), None
            user.save(update_fields=["email_verified_at", "phone_verified_at"])
            hand_over(user)
        ended = _set(user, new_hash, but=None)
        outcome = complete_sign_in(user=user, user_agent=user_agent)
    marks.tell_ended(ended)
    return outcome


def _set(user: User, new_hash: str, *, but: Caller | None) -> list:  # type: ignore[type-arg]
    """A new address that was asked for is forgotten: perhaps a thief has, and only its link is missing."""
    user.password, user.pending_email = new_hash, ""
    user.save(update_fields=["password", "pending_email"])
    forget_challenges(user)
    others = Session.objects.filter(user=user)
    if but is not None and but.session_id is not None:
        others = others.exclude(pk=but.session_id)
    outbox.emit(MAIL, key=str(user.pk), data={"kind": "password_changed"})
    return end_sessions(others)
