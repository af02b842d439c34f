"""What people may call themselves, and which passwords are good enough."""

import re
import unicodedata

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from backend.accounts.errors import EmailTaken, PasswordTooWeak
from backend.accounts.models import GONE, User
from backend.accounts.services.credentials import MAX_PASSWORD
from backend.core.errors import DomainError, Invalid, Required
from backend.core.hashers import normalized
from backend.core.plain_text import is_one_line
from backend.core.postal import fit_phone
from backend.core.saving import problems

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{1,149}")
_CAMEL = {"first_name": "firstName", "last_name": "lastName"}


def clean_email(text: str, field: str = "email") -> str:
    """An email address as it was typed, but for spaces around it. Raises Required or Invalid.

    One whose letters only look like others (a Kelvin sign for a K) would be another address to people than to mail
    servers: it is refused. So is one of those that take the place of an address that was erased: whoever had it would
    keep somebody from leaving.
    """
    email = text.strip()
    if not email:
        raise Required("An email address is needed.", field=[field])
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid("This is not an email address.", field=[field]) from error
    fits = len(email) <= 254 and email.isprintable() and unicodedata.normalize("NFKC", email) == email
    if not fits or email.lower().endswith(GONE):
        raise Invalid("This email address cannot be used.", field=[field])
    return email


def check_email_is_free(email: str, *, but: int | None = None, field: str = "email") -> None:
    if User.objects.with_login(email).exclude(pk=but or 0).exists():
        raise EmailTaken(field=[field])


def clean_username(text: str | None, *, but: int | None = None) -> str | None:
    """A name to sign in with; an empty text is none. Raises Invalid.

    Plain letters alone: no @, so that nobody's name is somebody's address, and none that looks like another.
    """
    username = (text or "").strip()
    if not username:
        return None
    if not _USERNAME.fullmatch(username):
        message = "A username has 2 to 150 letters without accents, digits, and . _ + - after the first."
        raise Invalid(message, field=["username"])
    if User.objects.with_login(username).exclude(pk=but or 0).exists():
        raise Invalid("This username is taken.", field=["username"])
    return username


def clean_phone(text: str, country: str) -> str:
    """A phone number as carriers dial it; empty for none. Raises Invalid."""
    if not text.strip():
        return ""
    phone = fit_phone(text, country) if len(text) <= 50 else None
    if phone is None:
        raise Invalid("Not a phone number; begin it with + and its country.", field=["phone"])
    return phone


def name_problems(values: dict[str, str]) -> list[DomainError]:
    """What is wrong with first and last names."""
    found = problems(User, values)
    for name, value in values.items():
        if not is_one_line(value):
            found.append(Invalid("Control characters cannot be part of a name.", field=[name]))
    for error in found:
        error.field = [_CAMEL.get(each, each) for each in error.field]
    return found


def check_new_password(password: str, user: User, field: str) -> None:
    """Raises PasswordTooWeak, or Invalid for one that is too long: it would have to be cut, or cost too much."""
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"A password has at most {MAX_PASSWORD} characters.", field=[field])
    try:
        validate_password(normalized(password), user)
    except ValidationError as error:
        raise PasswordTooWeak(" ".join(error.messages), field=[field]) from error
