"""Those who sell in the shop, as shoppers see them, and from inside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import strawberry
import strawberry_django

from backend.vendors import models, queries
from backend.vendors.access import visible_vendors
from backend.vendors.invitations import expires_at
from schema.engine import ColumnField, batched, computed
from schema.server.context import Context
from schema.server.enums import describe_enum
from schema.server.node import Node, global_id, integer_keys, register

INSIDE = "For those who work for the vendor, and staff who may see vendors"
VendorStatus: Any = strawberry.enum(models.VendorStatus, name="VendorStatus", description="Whether a vendor sells.")
describe_enum(
    models.VendorStatus,
    {
        "PENDING": "It has applied, and waits for the shop's word.",
        "APPROVED": "It sells.",
        "SUSPENDED": "It does not sell (any more): its products are not shown. Orders that were placed go on.",
    },
)
VendorRole: Any = strawberry.enum(
    models.VendorMember.Role, name="VendorRole", description="What somebody is to a vendor."
)
describe_enum(
    models.VendorMember.Role,
    {"OWNER": "Answers for the vendor, and invites people.", "CLERK": "Works for the vendor."},
)


@strawberry.type(description="Somebody who works for a vendor.")
class VendorMember:
    @computed(description="The membership's id, for `vendorClerkRemove`.")
    def id(member: Any) -> strawberry.ID:
        return strawberry.ID(global_id(member))

    @computed(description="What they are to the vendor.")
    def role(member: Any) -> VendorRole:
        return member.role

    @computed(description="Their email address.")
    def email(member: Any) -> str:
        return member.user.email  # type: ignore[no-any-return]

    @computed(description="First and last name; empty until they are given.")
    def name(member: Any) -> str:
        return f"{member.user.first_name} {member.user.last_name}".strip()


@strawberry.type(description="Somebody who was asked to work for a vendor, and has not answered.")
class VendorInvitation:
    @computed(description="The invitation's id, for `vendorClerkInvitationRevoke`.")
    def id(invitation: Any) -> strawberry.ID:
        return strawberry.ID(global_id(invitation))

    @computed(description="Where it was sent to.")
    def email(invitation: Any) -> str:
        return invitation.email  # type: ignore[no-any-return]

    @computed(description="When the newest link was asked for, in UTC.")
    def sent_at(invitation: Any) -> datetime:
        return invitation.sent_at  # type: ignore[no-any-return]

    @computed(description="Until when that link is good, in UTC.")
    def expires_at(invitation: Any) -> datetime:
        return expires_at(invitation)


@strawberry_django.type(models.Vendor, name="Vendor", field_cls=ColumnField, description="Somebody who sells here.")
class Vendor(Node):
    name: str = strawberry.field(description="The vendor's name.")
    slug: str = strawberry.field(description="The vendor's name in addresses: unique, stable.")
    description: str = strawberry.field(description="What the vendor says of itself.")

    @batched(description=f"Where it stands with the shop. {INSIDE}; null for others.")
    def status(vendors: list[Any], ctx: Context) -> list[VendorStatus | None]:
        return [None if each is None else models.VendorStatus(each.status) for each in _inner(vendors, ctx)]

    @batched(description=f"Why it was suspended. {INSIDE}; null for others, and while it is not.")
    def suspension_reason(vendors: list[Any], ctx: Context) -> list[str | None]:
        return [None if each is None else each.suspension_reason or None for each in _inner(vendors, ctx)]

    @batched(description=f"Where the shop reaches it. {INSIDE}; null for others.")
    def email(vendors: list[Any], ctx: Context) -> list[str | None]:
        return [None if each is None else each.email or None for each in _inner(vendors, ctx)]

    @batched(description="What you are to this vendor; null where you do not work.")
    def my_role(vendors: list[Any], ctx: Context) -> list[VendorRole | None]:
        found = queries.roles_of(caller=ctx.caller, vendor_ids=[each.pk for each in vendors])
        return [found.get(each.pk) for each in vendors]

    @batched(description=f"Who works here, owners first. {INSIDE}; empty for others.")
    def members(vendors: list[Any], ctx: Context) -> list[list[VendorMember]]:
        found = queries.members_by_vendor(_ids(_inner(vendors, ctx)))
        return [cast("list[VendorMember]", found.get(each.pk, [])) for each in vendors]

    @batched(description=f"Who was asked to work here and has not answered. {INSIDE}; empty for others.")
    def invitations(vendors: list[Any], ctx: Context) -> list[list[VendorInvitation]]:
        found = queries.invitations_by_vendor(_ids(_inner(vendors, ctx)))
        return [cast("list[VendorInvitation]", found.get(each.pk, [])) for each in vendors]


def _inner(vendors: Sequence[Any], ctx: Context) -> list[models.Vendor | None]:
    """Each vendor's whole row, where the caller may look inside."""
    found = queries.inner_vendors_by_id({each.pk for each in vendors}, caller=ctx.caller)
    return [found.get(each.pk) for each in vendors]


def _ids(vendors: Sequence[models.Vendor | None]) -> list[int]:
    return [each.pk for each in vendors if each is not None]


def load(context: Context, keys: list[str]) -> dict[str, models.Vendor]:
    return {str(row.pk): row for row in visible_vendors(context.caller).filter(pk__in=integer_keys(keys))}


register("Vendor", models.Vendor, load)
register("VendorMember", models.VendorMember)
register("VendorInvitation", models.VendorInvitation)
