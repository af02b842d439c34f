"""What the shop's own people do with accounts."""

from dataclasses import replace
from typing import Annotated

import strawberry
from strawberry.types import Info

from backend.accounts import queries, services
from backend.accounts.access import VIEW_USERS
from backend.accounts.services.rights import ASSIGN
from backend.core.caller import Role
from backend.core.errors import DomainError
from backend.core.paging import page_request
from schema.accounts.payloads import UserPayload
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

        try:
            payload = await db(run)
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        callers.forget()
        return payload
