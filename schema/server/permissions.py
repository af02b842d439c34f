"""Who may use a field: said once, checked at each use, and told in the field's description and by `@requires`.

    @strawberry.mutation(description="Sign out everywhere.", extensions=[guard(SignedIn())])

Whether a single row is the caller's is not decided here but by the domain, where a missing permission looks
exactly like a missing row.
"""

from typing import Any

import strawberry
from graphql import FieldNode, OperationDefinitionNode, OperationType
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from backend.core.caller import Caller, Role
from schema.server.context import Context
from schema.server.errors import coded

RoleType: Any = strawberry.enum(Role, name="Role", description="What somebody is to the shop.")
_ROLES = {
    Role.CUSTOMER: "Everybody who has an account.",
    Role.VENDOR: "Sells in the shop: the owner of a vendor or one of its clerks.",
    Role.PRODUCT_MANAGER: "Keeps the catalog and the stock.",
    Role.ORDER_MANAGER: "Sees orders through: fulfillment, refunds, returns.",
    Role.SUPPORT: "Helps customers; sees much and changes little.",
    Role.ADMIN: "May do everything, and gives roles.",
}
for _value in RoleType.__strawberry_definition__.values:
    _value.description = _ROLES[Role(_value.name)]

_REFUSALS = {
    "TOKEN_EXPIRED": "The access token's time is over: get another one with tokenRefresh.",
    "TOKEN_INVALID": "The access token is not good: it is not ours, or its session has ended. Sign in again.",
    "UNAVAILABLE": "Sessions of staff cannot be checked right now. Try again.",
}
# What somebody must be able to do whose access token is over: a client sends it with everything.
_WITHOUT_TOKEN = {
    "userRegister",
    "emailVerify",
    "tokenCreate",
    "tokenChallengeAnswer",
    "tokenRefresh",
    "tokenRevoke",
    "otpRequest",
    "passwordResetRequest",
    "passwordReset",
    "socialAuthStart",
    "socialTokenCreate",
}


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requires",
    description="Who may use this field. Others get UNAUTHENTICATED without a token, and FORBIDDEN with one.",
)
class Requires:
    roles: list[RoleType] | None = strawberry.directive_field(name="roles", default=strawberry.UNSET)
    permission: str | None = strawberry.directive_field(name="permission", default=strawberry.UNSET)


class SignedIn(BasePermission):
    """Anybody with an account. `without_factor`: also whose role asks for a second factor that they lack yet."""

    words = "a signed-in caller"
    without_factor = False

    def __init__(self, *, without_factor: bool = False) -> None:
        self.without_factor = without_factor

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        self.check(info.context.caller)
        return True

    def check(self, caller: Caller) -> None:
        """Raises UNAUTHENTICATED or FORBIDDEN."""
        if caller.user_id is None:
            raise coded("UNAUTHENTICATED", "This needs a signed-in caller: send an access token.")
        if caller.lacks_factor and not self.without_factor:
            message = "Your role asks for a second factor: enable one with twoFactorEnable."
            raise coded("FORBIDDEN", message, reason="SECOND_FACTOR_REQUIRED")
        if not self.allows(caller):
            raise coded("FORBIDDEN", f"This needs {self.words}.")

    def allows(self, caller: Caller) -> bool:
        return True

    @property
    def schema_directive(self) -> object:
        return Requires()


class HasRole(SignedIn):
    """One of some roles. Prefer a permission: which role has it can be changed in the admin."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles
        self.words = "the role " + " or ".join(roles)

    def allows(self, caller: Caller) -> bool:
        return caller.is_superuser or caller.has_role(*self.roles)

    @property
    def schema_directive(self) -> object:
        return Requires(roles=list(self.roles))


class HasPermission(SignedIn):
    """A permission by Django's name: "orders.view_order"."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        self.words = f"the permission {permission}"

    def allows(self, caller: Caller) -> bool:
        return caller.may(self.permission)

    @property
    def schema_directive(self) -> object:
        return Requires(permission=self.permission)


class Guard(PermissionExtension):
    """Strawberry's own, without its cost in each call, and told in the description that GraphiQL shows."""

    def apply(self, field: StrawberryField) -> None:
        super().apply(field)
        needs = " and ".join(each.words for each in self.permissions if isinstance(each, SignedIn))
        if needs not in (field.description or ""):
            field.description = f"{field.description or ''} Needs {needs}.".strip()

    def resolve(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        self._check(info.context)
        return next_(source, info, **kwargs)

    async def resolve_async(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        self._check(info.context)
        return await next_(source, info, **kwargs)

    def _check(self, context: Context) -> None:
        for permission in self.permissions:
            assert isinstance(permission, SignedIn)
            permission.check(context.caller)


def guard(*permissions: SignedIn) -> FieldExtension:
    """For a field's `extensions`: every one of these permissions is needed."""
    return Guard(permissions=list(permissions))


def check_refused(reason: str, operation: OperationDefinitionNode) -> None:
    """Refuse what came with a token that is not good, but for what renews or replaces it.

    To run it as a guest's would surprise: a cart made with a token that has just expired belongs to nobody.
    """
    names = {node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)}
    fields_alone = len(names) and all(isinstance(node, FieldNode) for node in operation.selection_set.selections)
    if operation.operation is OperationType.MUTATION and fields_alone and names <= _WITHOUT_TOKEN:
        return
    raise coded("UNAUTHENTICATED", _REFUSALS[reason], reason=reason)
