"""People, as they see themselves and as staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import strawberry

from backend.accounts import queries
from backend.accounts.models import Customer as CustomerRow
from backend.accounts.models import Session as SessionRow
from backend.accounts.models import User as UserRow
from backend.core.errors import NotFound
from schema.accounts.providers import SocialProvider
from schema.customers.fields import CustomerFields
from schema.customers.lists import ListFields
from schema.engine import batched, computed
from schema.server.context import Context
from schema.server.errors import coded
from schema.server.node import Node, global_id, integer_keys, register
from schema.server.permissions import RoleType


@dataclass(slots=True)
class Person:
    """A user of whom perhaps no more is known than the key: who asks for `id` alone needs no row."""

    pk: int
    row: UserRow | None = None


def as_user(row: UserRow) -> "User":
    return cast(User, Person(row.pk, row))


def user_of(pk: int) -> "User":
    return cast(User, Person(pk))


def rows_of(people: Sequence[Person]) -> list[UserRow]:
    """The rows of people, in order; those not yet there are read in one statement. Raises NotFound."""
    missing = {person.pk for person in people if person.row is None}
    if missing:
        found = queries.users_by_id(missing)
        for person in people:
            person.row = person.row or found.get(person.pk)
    if any(person.row is None for person in people):
        raise NotFound
    return [person.row for person in people if person.row is not None]


@strawberry.type(description="A device that somebody is signed in with.")
class Session:
    @computed(description="The session's id, to revoke it by.")
    def id(session: Any) -> strawberry.ID:
        return strawberry.ID(global_id(session))

    @computed(description="What the device's browser or app calls itself; empty when it did not say.")
    def user_agent(session: Any) -> str:
        return session.user_agent  # type: ignore[no-any-return]

    @computed(description="When it signed in, in UTC.")
    def created_at(session: Any) -> datetime:
        return session.created_at  # type: ignore[no-any-return]

    @computed(description="When it last got new tokens, in UTC.")
    def last_used_at(session: Any) -> datetime:
        return session.last_used_at  # type: ignore[no-any-return]

    @computed(description="When it ends unless it gets new tokens before, in UTC.")
    def expires_at(session: Any) -> datetime:
        return session.expires_at  # type: ignore[no-any-return]

    @computed(description="Whether it is the one that asks.")
    def current(session: Any, ctx: Context) -> bool:
        return bool(session.pk == ctx.caller.session_id)


@strawberry.type(description="What the shop knows of somebody as a buyer. Everybody with an account has one.")
class Customer(Node):
    @computed(description="Since when, in UTC.")
    def created_at(customer: Any) -> datetime:
        return customer.created_at  # type: ignore[no-any-return]

    @computed(description="The language of mails to them; null means the shop's own.")
    def language(customer: Any) -> str | None:
        return customer.language or None


@strawberry.type(description="Somebody with an account.")
class User(CustomerFields, ListFields, Node):
    @batched(description="The email address, as it was typed.")
    def email(people: list[Any]) -> list[str]:
        return [row.email for row in rows_of(people)]

    @batched(description="The name to sign in with beside the email address; null when there is none.")
    def username(people: list[Any]) -> list[str | None]:
        return [row.username for row in rows_of(people)]

    @batched(description="The first name; empty until it is given.")
    def first_name(people: list[Any]) -> list[str]:
        return [row.first_name for row in rows_of(people)]

    @batched(description="The last name; empty until it is given.")
    def last_name(people: list[Any]) -> list[str]:
        return [row.last_name for row in rows_of(people)]

    @batched(description="The phone number; null until it is given.")
    def phone(people: list[Any]) -> list[str | None]:
        return [row.phone or None for row in rows_of(people)]

    @batched(description="Whether they have opened the link that was sent to the email address.")
    def email_verified(people: list[Any]) -> list[bool]:
        return [row.email_verified_at is not None for row in rows_of(people)]

    @batched(description="The new email address that waits for its link to be opened; null when there is none.")
    def pending_email(people: list[Any], ctx: Context) -> list[str | None]:
        return [row.pending_email or None if _is_self(row, ctx) else None for row in rows_of(people)]

    @batched(description="When the account was made, in UTC.")
    def created_at(people: list[Any]) -> list[datetime]:
        return [row.date_joined for row in rows_of(people)]

    @batched(description="What they are to the shop. Everybody is at least a CUSTOMER.")
    def roles(people: list[Any]) -> list[list[RoleType]]:
        grants = queries.grants_by_user([person.pk for person in people])
        return [sorted(grants[person.pk].roles) if person.pk in grants else [] for person in people]

    @batched(description="What they may do, by names such as `orders.view_order`, in order.")
    def permissions(people: list[Any]) -> list[list[str]]:
        return queries.permission_names([person.pk for person in people])

    @batched(description="Whether signing in takes a second factor.")
    def two_factor_enabled(people: list[Any]) -> list[bool]:
        enabled = queries.users_with_second_factor({person.pk for person in people})
        return [person.pk in enabled for person in people]

    @batched(description="Whether they have shown that the phone number is theirs: then codes can be sent there.")
    def phone_verified(people: list[Any]) -> list[bool]:
        return [row.phone_verified_at is not None for row in rows_of(people)]

    @batched(description="Whether the account is open: staff close and open it by `customerUpdate`.")
    def is_active(people: list[Any]) -> list[bool]:
        return [row.is_active for row in rows_of(people)]

    @batched(description="Whether you have a password; who came by a provider may have none. Null of others.")
    def has_password(people: list[Any], ctx: Context) -> list[bool | None]:
        return [row.has_usable_password() if _is_self(row, ctx) else None for row in rows_of(people)]

    @batched(description="Who else opens your account, by `socialAccountLink` or a sign-in. Of others, none is shown.")
    def social_accounts(people: list[Any], ctx: Context) -> list[list[SocialProvider]]:
        found = queries.providers_by_user([person.pk for person in people if _is_self(person, ctx)])
        return [found.get(person.pk, []) for person in people]

    @batched(description="Their profile as a buyer.")
    def customer(people: list[Any]) -> list[Customer]:
        found = queries.customers_by_user([person.pk for person in people])
        return [cast(Customer, found.get(person.pk) or NotFound()) for person in people]

    @batched(description="The devices you are signed in with, the last used first. Of yourself alone: else FORBIDDEN.")
    def sessions(people: list[Any], ctx: Context) -> list[list[Session]]:
        return [_sessions(person, ctx) for person in people]


def _sessions(person: Person, ctx: Context) -> Any:
    if not _is_self(person, ctx):
        return coded("FORBIDDEN", "Sessions are shown to nobody but their owner.")
    return queries.living_sessions(caller=ctx.caller)


def _is_self(person: Person | UserRow, ctx: Context) -> bool:
    """In the answer to a sign-in the caller is still a guest, and sees no more than the contract's fields."""
    return person.pk == ctx.caller.user_id


def _load_users(ctx: Context, keys: Sequence[str]) -> dict[str, Person]:
    """Oneself, and for those who may see users everybody."""
    wanted = [pk for pk in integer_keys(keys) if pk == ctx.caller.user_id or ctx.caller.may("accounts.view_user")]
    return {str(pk): Person(pk, row) for pk, row in queries.users_by_id(wanted).items()}


register("User", Person, _load_users)
register("Session", SessionRow)
register("Customer", CustomerRow)
