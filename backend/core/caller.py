"""Who asks. Services and queries that serve a person take a Caller first."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody is to the shop. Each but CUSTOMER is given; everybody with an account is a customer."""

    CUSTOMER = "CUSTOMER"
    VENDOR = "VENDOR"
    PRODUCT_MANAGER = "PRODUCT_MANAGER"
    ORDER_MANAGER = "ORDER_MANAGER"
    SUPPORT = "SUPPORT"
    ADMIN = "ADMIN"


STAFF_ROLES = frozenset({Role.PRODUCT_MANAGER, Role.ORDER_MANAGER, Role.SUPPORT, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request; `user_id` is None for a guest, who has only what tokens name.

    `permissions` are Django's names ("orders.view_order"). Ask `may`, which knows that a superuser may do everything.
    `lacks_factor`: their role asks for a second factor, and they are given none of its rights before they have one.
    """

    user_id: int | None = None
    session_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    permissions: frozenset[str] = frozenset()
    is_superuser: bool = False
    lacks_factor: bool = False

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def is_staff(self) -> bool:
        """Whether this is one of the shop's own people."""
        return self.is_superuser or not STAFF_ROLES.isdisjoint(self.roles)

    def may(self, permission: str) -> bool:
        return self.is_superuser or permission in self.permissions

    def has_role(self, *roles: Role) -> bool:
        """Whether the caller has one of these roles."""
        return not self.roles.isdisjoint(roles)


GUEST = Caller()
