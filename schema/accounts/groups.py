"""Groups: what their members may do. For those who run the shop."""

from collections.abc import Callable
from typing import Annotated, Any, cast

import strawberry
import strawberry_django
from django.contrib.auth import models
from strawberry.types import Info

from backend.accounts import groups, queries, services
from backend.accounts.access import VIEW_GROUPS
from backend.accounts.roles import ROLE_OF_GROUP
from backend.accounts.services import GroupChange
from backend.core.errors import DomainError, Required
from backend.core.paging import page_request
from backend.core.saving import KEEP
from schema.carts.inputs import find_int
from schema.engine import ColumnField, batched, computed, root_query
from schema.server import callers
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_int
from schema.server.node import Node, integer_keys, register
from schema.server.permissions import HasPermission, RoleType, guard

NAMES = "What its members may do, by names of `permissions` such as `orders.view_order`"
ID = "The group's id."


@strawberry_django.type(
    models.Group,
    name="Group",
    field_cls=ColumnField,
    description="People who may do the same: those of a role, or of a group that the shop has made for itself.",
)
class Group(Node):
    name: str = strawberry.field(description="What it is called. A role's name is fixed.")

    @computed(description="The role that its members have; null for the shop's own groups.")
    def role(group: Any) -> RoleType | None:
        return ROLE_OF_GROUP.get(group.name)

    @batched(description="What its members may do by it, by names such as `orders.view_order`, in order.")
    def permissions(found: list[Any]) -> list[list[str]]:
        names = queries.permissions_by_group(found)
        return [names.get(group.pk, []) for group in found]

    @batched(
        description="How many are in it, closed accounts too. Everybody with an account is one of the customers; "
        "superusers are admins without being in the group, and are not counted there."
    )
    def user_count(found: list[Any]) -> list[int]:
        counts = queries.members_by_group(found)
        return [counts.get(group.pk, 0) for group in found]


def _load(context: Context, keys: list[str]) -> dict[str, Any]:
    return {str(pk): row for pk, row in queries.groups_by_id(integer_keys(keys), caller=context.caller).items()}


register("Group", models.Group, _load)


@strawberry.type(name="GroupConnection", description="A page of groups.")
class GroupConnection(Connection[Group]):
    pass


@strawberry.type(description="Something that a group can let its members do.")
class Permission:
    name: str = strawberry.field(description="What to send to `groupUpdate`, such as `orders.view_order`.")
    description: str = strawberry.field(description="The same in English words, such as `Can view order`.")


@strawberry.input(description="A group of the shop's own.")
class GroupCreateInput:
    name: str = strawberry.field(description="What it is called, up to 150 characters; no other group's name.")
    permissions: list[str] = strawberry.field(default_factory=list, description=f"{NAMES}.")


@strawberry.input(description="What changes of a group. What is left out stays as it is.")
class GroupUpdateInput:
    id: strawberry.ID = strawberry.field(description=ID)
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is called from now on. A role's name is fixed (INVALID)."
    )
    permissions: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description=f"{NAMES}: all of them. One that is not named is taken away."
    )
    add_user_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Who becomes a member, up to 100; who is one stays one. Not of a role: that is `userRolesSet`. "
        "Needs the permission accounts.assign_roles.",
    )
    remove_user_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Who is a member no more, up to 100; as `addUserIds`."
    )


@strawberry.input(description="Dissolving a group.")
class GroupDeleteInput:
    id: strawberry.ID = strawberry.field(description=ID)


@strawberry.type(description="The group after the change, or why nothing was changed.")
class GroupPayload:
    group: Group | None = strawberry.field(default=None, description="The group; null when the change was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault; empty when all went well."
    )


@strawberry.type(description="Which group is gone, or why it stays.")
class GroupDeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id that you sent; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it stays; empty when it is gone."
    )


@strawberry.type
class GroupQuery:
    @root_query(
        description="The roles and the shop's own groups, by name.", extensions=[guard(HasPermission(VIEW_GROUPS))]
    )
    def groups(
        ctx: Context, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> GroupConnection | None:
        request = page_request(first=first, after=after, last=last, before=before)
        return connection(queries.page_groups(caller=ctx.caller, request=request))  # type: ignore[no-any-return]

    @root_query(
        description="Everything that a group can let its members do, by name. You can give what you may do yourself "
        "(`viewer.permissions`).",
        extensions=[guard(HasPermission(VIEW_GROUPS))],
    )
    def permissions(ctx: Context) -> list[Permission] | None:
        return [Permission(name=name, description=words) for name, words in queries.all_permissions()]


@strawberry.type
class GroupMutation:
    @strawberry.mutation(
        description="Make a group of the shop's own. Nobody gives what they may not do themselves (FORBIDDEN).",
        extensions=[guard(HasPermission(groups.ADD))],
    )
    async def group_create(
        self, info: Info, input: Annotated[GroupCreateInput, strawberry.argument(description="The group.")]
    ) -> GroupPayload:
        caller = info.context.caller
        return await _payload(
            lambda: services.create_group(caller=caller, name=input.name, permissions=input.permissions)
        )

    @strawberry.mutation(
        description="Change what a group is called, what its members may do, and of the shop's own groups who is in "
        "it. It holds at once, without their signing in again. Nobody gives or takes what they may not do themselves, "
        "nor touches a group that may do more (FORBIDDEN), and the admins keep what they give rights with (INVALID).",
        extensions=[guard(HasPermission(groups.CHANGE))],
    )
    async def group_update(
        self, info: Info, input: Annotated[GroupUpdateInput, strawberry.argument(description="What changes.")]
    ) -> GroupPayload:
        caller = info.context.caller

        def run() -> models.Group:
            group_id = decode_int(input.id, "Group", field=["id"])
            return services.update_group(caller=caller, group_id=group_id, change=_change_of(input))

        return await _payload(run)

    @strawberry.mutation(
        description="Dissolve a group of the shop's own: its members lose at once what it gave them. Roles stay "
        "(INVALID), and nobody dissolves a group that may do more than they may (FORBIDDEN).",
        extensions=[guard(HasPermission(groups.DELETE))],
    )
    async def group_delete(
        self, info: Info, input: Annotated[GroupDeleteInput, strawberry.argument(description="Which group.")]
    ) -> GroupDeletePayload:
        def run() -> None:
            services.delete_group(caller=info.context.caller, group_id=decode_int(input.id, "Group", field=["id"]))

        try:
            await db(run)
        except DomainError as error:
            return GroupDeletePayload(user_errors=user_errors(error))
        callers.forget()
        return GroupDeletePayload(deleted_id=input.id)


def _change_of(input: GroupUpdateInput) -> GroupChange:
    if input.permissions is None:
        raise Required("Send an empty list to take every permission away.", field=["permissions"])
    return GroupChange(
        name=KEEP if input.name is strawberry.UNSET else input.name or "",
        permissions=KEEP if input.permissions is strawberry.UNSET else input.permissions,
        add=[find_int(each, "User") for each in input.add_user_ids or ()],
        remove=[find_int(each, "User") for each in input.remove_user_ids or ()],
    )


async def _payload(run: Callable[[], models.Group]) -> GroupPayload:
    try:
        group = await db(run)
    except DomainError as error:
        return GroupPayload(user_errors=user_errors(error))
    callers.forget()
    return GroupPayload(group=cast(Group, group))
