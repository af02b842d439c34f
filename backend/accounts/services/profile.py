"""What people change about themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from backend.accounts import checking
from backend.accounts.errors import InvalidCredentials
from backend.accounts.locking import lock_user
from backend.accounts.models import Customer, User
from backend.accounts.services.credentials import Candidate, Proof
from backend.accounts.services.registration import MAIL, ask_to_verify
from backend.core import outbox
from backend.core.errors import DomainError, Invalid, refuse
from backend.core.saving import KEEP, Keep


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is not KEEP is to be set."""

    first_name: str | Keep = KEEP
    last_name: str | Keep = KEEP
    phone: str | Keep = KEEP
    username: str | Keep | None = KEEP
    email: str | Keep = KEEP
    language: str | Keep | None = KEEP


def update_profile(
    *,
    user_id: int,
    change: ProfileChange,
    country: str,
    candidate: Candidate | None = None,
    proof: Proof | None = None,
) -> User:
    """Change what is given. A new email address needs a proof of the password, and holds once its link is opened;
    one that was changed since proves nothing.

    Raises everything that is at fault, together.
    """
    try:
        with transaction.atomic():
            user = lock_user(user_id)
            if candidate is not None and candidate.password != user.password:
                proof = None
            apply_profile(user, change, country, partial(_set_email, proof=proof))
            names = ["first_name", "last_name", "phone", "phone_verified_at", "username", "email", "pending_email"]
            user.save(update_fields=names)
    except IntegrityError as error:
        raise Invalid("This username is taken.", field=["username"]) from error
    return user


def apply_profile(
    user: User, change: ProfileChange, country: str, set_email: Callable[[User, str | Keep], None]
) -> None:
    """Set on a locked user, who is not saved here, what is given. Raises everything that is at fault, together."""
    errors: list[DomainError] = []
    names = {
        name: value.strip()
        for name, value in (("first_name", change.first_name), ("last_name", change.last_name))
        if not isinstance(value, Keep)
    }
    errors += checking.name_problems(names)
    for name, value in names.items():
        setattr(user, name, value)
    for step in (_set_phone, _set_username, _set_language):
        try:
            step(user, change, country)
        except DomainError as error:
            errors.append(error)
    try:
        set_email(user, change.email)
    except DomainError as error:
        errors.append(error)
    refuse(errors)


def _set_phone(user: User, change: ProfileChange, country: str) -> None:
    if not isinstance(change.phone, Keep):
        phone = checking.clean_phone(change.phone, country)
        if phone != user.phone:
            user.phone, user.phone_verified_at = phone, None


def _set_username(user: User, change: ProfileChange, country: str) -> None:
    if not isinstance(change.username, Keep):
        user.username = checking.clean_username(change.username, but=user.pk)


def _set_language(user: User, change: ProfileChange, country: str) -> None:
    if isinstance(change.language, Keep):
        return
    language = change.language or ""
    if language and language not in settings.LANGUAGES_OFFERED:
        raise Invalid("The shop does not speak this language.", field=["language"])
    Customer.objects.filter(user=user).update(language=language)


def _set_email(user: User, given: str | Keep, proof: Proof | None) -> None:
    if isinstance(given, Keep):
        return
    email = checking.clean_email(given)
    if email == user.email:
        user.pending_email = ""
        return
    if proof is None or not proof.right:
        raise InvalidCredentials("A new email address needs your password.", field=["currentPassword"])
    checking.check_email_is_free(email, but=user.pk)
    if email.lower() == user.email.lower():
        user.email, user.pending_email = email, ""
        return
    user.pending_email = email
    ask_to_verify(user)
    outbox.emit(MAIL, key=str(user.pk), data={"kind": "email_change_asked", "to": user.email})
