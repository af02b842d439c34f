"""What the shop's own people do with accounts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import strawberry
from strawberry.types import Info

from backend.accounts import queries, services
from backend.accounts.access import VIEW_USERS
from backend.accounts.groups import ASSIGN
from backend.accounts.services.staff import CHANGE, DELETE
from backend.core.caller import Role
from backend.core.errors import DomainError
from backend.core.paging import page_request
from backend.core.saving import KEEP
from schema.accounts.account_mutations import change_of
from schema.accounts.inputs import CustomerEraseInput, CustomerUpdateInput
from schema.accounts.payloads import UserDeletePayload, UserPayload
from schema.accounts.types import User, as_user
from schema.engine import root_query
from schema.server import callers
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import user_errors
from schema.server.ids import decode_int
from schema.server.permissions import HasPermission, RoleType, guard


@strawberry.type(name="UserConnection", description="A page of people with an account.")
class UserConnection(Connection[User]):
    pass


@strawberry.input(description="What somebody is to the shop from now on.")
class UserRolesSetInput:
    user_id: strawberry.ID = strawberry.field(description="Whose roles.")
    roles: list[RoleType] = strawberry.field(
        description="All that they are to have; a role that is not named is taken away. CUSTOMER is everybody and may "
        "be left out. VENDOR alone opens no vendor: its owner invites people."
    )


@strawberry.type
class StaffQuery:
    @root_query(
        description="Everybody with an account, the newest first.",
        extensions=[guard(HasPermission(VIEW_USERS))],
    )
    def customers(
        ctx: Context,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        query: Annotated[
            str | None,
            strawberry.argument(
                description="Only those in whose email address, username or names each of these words stands, in any "
                "case of letters."
            ),
        ] = None,
    ) -> UserConnection | None:
        request = page_request(first=first, after=after, last=last, before=before)
        found = queries.page_users(caller=ctx.caller, request=request, search=query or "")
        return connection(replace(found, rows=[as_user(row) for row in found.rows]))  # type: ignore[no-any-return,type-var]


@strawberry.type
class StaffMutation:
    @strawberry.mutation(
        description="Change somebody's account, or close and open it. Never one that may do more than you may, and not "
        "your own (FORBIDDEN).",
        extensions=[guard(HasPermission(CHANGE))],
    )
    async def customer_update(
        self, info: Info, input: Annotated[CustomerUpdateInput, strawberry.argument(description="What changes.")]
    ) -> UserPayload:
        context: Context = info.context

        def run() -> UserPayload:
            user = services.update_customer(
                caller=context.caller,
                user_id=decode_int(input.user_id, "User", field=["userId"]),
                change=change_of(input),
                active=KEEP if input.is_active is None else input.is_active,
                country=context.shop.country,
            )
            return UserPayload(user=as_user(user))

        return await _payload(run)

    @strawberry.mutation(
        description="Erase somebody's account on their word to you, as `userDelete` does. Never one that may do more "
        "than you may, and not your own (FORBIDDEN).",
        extensions=[guard(HasPermission(DELETE))],
    )
    async def customer_erase(
        self, info: Info, input: Annotated[CustomerEraseInput, strawberry.argument(description="Who is forgotten.")]
    ) -> UserDeletePayload:
        def run() -> None:
            user_id = decode_int(input.user_id, "User", field=["userId"])
            services.erase_customer(caller=info.context.caller, user_id=user_id)

        try:
            await db(run)
        except DomainError as error:
            return UserDeletePayload(deleted=False, user_errors=user_errors(error))
        callers.forget()
        return UserDeletePayload(deleted=True)

    @strawberry.mutation(
        description="Give somebody roles and take the others away. It holds at once, without their signing in again. "
        "Nobody gives or takes a role that may do more than they may themselves (FORBIDDEN), and the last admin stays "
        "one (INVALID).",
        extensions=[guard(HasPermission(ASSIGN))],
    )
    async def user_roles_set(
        self, info: Info, input: Annotated[UserRolesSetInput, strawberry.argument(description="Who becomes what.")]
    ) -> UserPayload:
        context: Context = info.context

        def run() -> UserPayload:
            user_id = decode_int(input.user_id, "User", field=["userId"])
            roles = [Role(each) for each in input.roles]
            return UserPayload(user=as_user(services.set_roles(caller=context.caller, user_id=user_id, roles=roles)))

        return await _payload(run)


async def _payload(run: Callable[[], UserPayload]) -> UserPayload:
    try:
        payload: UserPayload = await db(run)
    except DomainError as error:
        return UserPayload(user_errors=user_errors(error))
    callers.forget()
    return payload
