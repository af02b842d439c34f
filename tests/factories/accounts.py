"""People."""

from itertools import count
from typing import Any

from django.contrib.auth.models import Group

from backend.accounts.models import User
from backend.accounts.roles import GROUP_NAMES
from backend.core.caller import Caller, Role

PASSWORD = "corr3ct-horse-battery"
_numbers = count(1)


def make_user(email: str = "", *, role: Role | None = None, password: str | None = PASSWORD, **fields: Any) -> User:
    """Somebody with an account, and a role beside CUSTOMER where one is given."""
    user = User.objects.create_user(email or f"user{next(_numbers)}@example.com", password, **fields)
    if role is not None:
        user.groups.add(Group.objects.get(name=GROUP_NAMES[role]))
    return user


def caller_of(user: User) -> Caller:
    return Caller(user_id=user.pk)


def make_customer(**fields: Any) -> Caller:
    """Somebody with an account who asks a service; without a password, which takes its time to hash."""
    return caller_of(make_user(password=None, **fields))
