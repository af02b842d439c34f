"""Becoming a customer, and showing that an email address is one's own."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from backend.accounts import checking
from backend.accounts.errors import EmailTaken
from backend.accounts.links import EMAIL_LINK
from backend.accounts.models import Customer, User
from backend.accounts.services.sessions import Tokens, open_session
from backend.core import clock, outbox
from backend.core.errors import DomainError, Invalid, refuse

MAIL = "account.mail_due"


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody says of themselves; `checked_registration` makes it fit."""

    email: str
    password: str
    username: str | None = None
    first_name: str = ""
    last_name: str = ""
    phone: str = ""


def checked_registration(given: Registration, *, country: str) -> User:
    """The user to be, without a password yet. Raises everything that is at fault, together."""
    errors: list[DomainError] = []
    user = User(first_name=given.first_name.strip(), last_name=given.last_name.strip())
    errors += checking.name_problems({"first_name": user.first_name, "last_name": user.last_name})

    def email() -> None:
        user.email = checking.clean_email(given.email)
        checking.check_email_is_free(user.email)

    def username() -> None:
        user.username = checking.clean_username(given.username)

    def phone() -> None:
        user.phone = checking.clean_phone(given.phone, country)

    def password() -> None:
        checking.check_new_password(given.password, user, "password")

    for step in (email, username, phone, password):
        try:
            step()
        except DomainError as error:
            errors.append(error)
    refuse(errors)
    return user


def with_password(user: User, password: str) -> User:
    """Hash the password of a user who is not saved yet. Knows no database: for a hashing thread."""
    user.password = make_password(password)
    return user


@transaction.atomic
def register(*, user: User, language: str, user_agent: str = "") -> Tokens:
    """Save a user whom `checked_registration` made, mail them their link, and sign them in."""
    try:
        with transaction.atomic():
            user.date_joined = clock.now()
            user.save()
    except IntegrityError as error:
        if "username" in str(error):
            raise Invalid("This username is taken.", field=["username"]) from error
        raise EmailTaken(field=["email"]) from error
    Customer.objects.filter(user=user).update(language=language)
    outbox.emit("user.registered", key=str(user.pk))
    ask_to_verify(user)
    return open_session(user=user, user_agent=user_agent)


def ask_to_verify(user: User) -> None:
    """Have a worker mail the link: the token is made when the mail is, and stands in no table."""
    outbox.emit(MAIL, key=str(user.pk), data={"kind": "verify_email"})


def request_verification(*, user_id: int) -> None:
    """Mail the link once more, to whoever has not opened it yet."""
    with transaction.atomic():
        user = User.objects.get(pk=user_id)
        if user.email_verified_at is None or user.pending_email:
            ask_to_verify(user)


@transaction.atomic
def verify_email(*, token: str) -> User:
    """Believe the address that a link was mailed to: the first one, or a new one that takes its place.

    Raises TokenInvalid (also the second time), TokenExpired, or EmailTaken if somebody else has it by now.
    """
    user = EMAIL_LINK.user_of(token)
    old = user.email
    user.email_verified_at = clock.now()
    if user.pending_email:
        checking.check_email_is_free(user.pending_email, but=user.pk, field="token")
        user.email, user.pending_email = user.pending_email, ""
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "pending_email", "email_verified_at"])
    except IntegrityError as error:
        raise EmailTaken(field=["token"]) from error
    if user.email != old:
        outbox.emit(MAIL, key=str(user.pk), data={"kind": "email_changed", "to": old})
    outbox.emit("user.email_verified", key=str(user.pk))
    return user
