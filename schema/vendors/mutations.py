"""Becoming a vendor, the shop's word on it, and the people who work for one."""

from collections.abc import Callable
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from backend.accounts import throttles
from backend.core.errors import DomainError
from backend.vendors import models, services
from backend.vendors.access import DECIDE
from backend.vendors.services import Application
from schema.server import callers
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_int
from schema.server.permissions import HasPermission, SignedIn, guard
from schema.vendors.types import Vendor, VendorInvitation


@strawberry.input(description="What a vendor says of itself. What is left out stays as it is.")
class VendorUpdateInput:
    id: strawberry.ID = strawberry.field(description="The vendor's id.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What it is called.")
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the shop reaches it.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it says of itself; null empties."
    )


@strawberry.input(description="Asking to sell in the shop.")
class VendorApplyInput:
    name: str = strawberry.field(description="What the vendor is called, up to 200 characters.")
    description: str | None = strawberry.field(default=None, description="What it says of itself, as plain text.")
    email: str = strawberry.field(description="Where the shop reaches it; shoppers do not see it.")


@strawberry.input(description="Letting a vendor sell.")
class VendorApproveInput:
    id: strawberry.ID = strawberry.field(description="The vendor's id.")


@strawberry.input(description="Stopping a vendor's selling.")
class VendorSuspendInput:
    id: strawberry.ID = strawberry.field(description="The vendor's id.")
    reason: str = strawberry.field(description="Why, up to 500 characters; the vendor's people read it.")


@strawberry.input(description="Asking somebody to work for a vendor.")
class VendorClerkInviteInput:
    vendor_id: strawberry.ID = strawberry.field(description="A vendor of yours.")
    email: str = strawberry.field(description="Where to send the link; they need no account yet.")


@strawberry.input(description="Taking an invitation back.")
class VendorClerkInvitationRevokeInput:
    id: strawberry.ID = strawberry.field(description="The invitation's id.")


@strawberry.input(description="Coming to work for a vendor.")
class VendorClerkAcceptInput:
    token: str = strawberry.field(description="The token of the mailed link.")


@strawberry.input(description="Sending somebody away, or leaving.")
class VendorClerkRemoveInput:
    id: strawberry.ID = strawberry.field(description="The membership's id, from `Vendor.members`.")


@strawberry.type(description="The vendor, or why nothing was changed.")
class VendorPayload:
    vendor: Vendor | None = strawberry.field(default=None, description="The vendor; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault; empty when all went well."
    )


@strawberry.type(description="The invitation, or why nobody was asked.")
class VendorClerkInvitePayload:
    invitation: VendorInvitation | None = strawberry.field(
        default=None,
        description="The invitation; null when it was refused. It does not say whether there is an account.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault; empty when all went well."
    )


@strawberry.type(description="What is gone, or why it stays.")
class VendorClerkRemovePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id that you sent; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was changed; empty when all went well."
    )


@strawberry.type
class VendorMutation:
    @strawberry.mutation(
        description="Ask to sell in the shop. You become the vendor's owner; it sells once the shop has approved it. "
        "The same name again, while it waits, is the same application; another one has to wait for it.",
        extensions=[guard(SignedIn())],
    )
    async def vendor_apply(
        self, info: Info, input: Annotated[VendorApplyInput, strawberry.argument(description="Who wants to sell.")]
    ) -> VendorPayload:
        context: Context = info.context
        given = Application(name=input.name, email=input.email, description=input.description or "")
        return await _vendor(lambda: services.apply_as_vendor(caller=context.caller, application=given))

    @strawberry.mutation(
        description="Let a vendor sell: one that has applied, or was suspended. Its owners are told by mail. Approving "
        "twice changes nothing. INVALID where no active owner is left to answer for it.",
        extensions=[guard(HasPermission(DECIDE))],
    )
    async def vendor_approve(
        self, info: Info, input: Annotated[VendorApproveInput, strawberry.argument(description="Which vendor.")]
    ) -> VendorPayload:
        context: Context = info.context
        return await _vendor(
            lambda: services.approve_vendor(
                caller=context.caller, vendor_id=decode_int(input.id, "Vendor", field=["id"])
            )
        )

    @strawberry.mutation(
        description="Stop a vendor's selling, or turn its application down. Its products vanish from the storefront at "
        "once, and what carts hold of them cannot be ordered; orders that were placed go on. Its owners are told by "
        "mail. Suspending twice changes nothing, the reason neither.",
        extensions=[guard(HasPermission(DECIDE))],
    )
    async def vendor_suspend(
        self, info: Info, input: Annotated[VendorSuspendInput, strawberry.argument(description="Which, and why.")]
    ) -> VendorPayload:
        context: Context = info.context
        return await _vendor(
            lambda: services.suspend_vendor(
                caller=context.caller, vendor_id=decode_int(input.id, "Vendor", field=["id"]), reason=input.reason
            )
        )

    @strawberry.mutation(
        description="Change what a vendor that you own says of itself; staff with vendors.change_vendor any vendor's. "
        "Its slug stays. An approved vendor's name is changed by staff alone (INVALID).",
        extensions=[guard(SignedIn())],
    )
    async def vendor_update(
        self, info: Info, input: Annotated[VendorUpdateInput, strawberry.argument(description="What changes.")]
    ) -> VendorPayload:
        context: Context = info.context
        given = {"name": input.name, "email": input.email, "description": input.description}
        changes: dict[str, Any] = {name: value or "" for name, value in given.items() if value is not strawberry.UNSET}
        return await _vendor(
            lambda: services.update_vendor(
                caller=context.caller, vendor_id=decode_int(input.id, "Vendor", field=["id"]), **changes
            )
        )

    @strawberry.mutation(
        description="Have somebody mailed a link to come and work for a vendor that you own. Again, it sends a new "
        "link in the old one's place.",
        extensions=[guard(SignedIn())],
    )
    async def vendor_clerk_invite(
        self, info: Info, input: Annotated[VendorClerkInviteInput, strawberry.argument(description="Whom to ask.")]
    ) -> VendorClerkInvitePayload:
        context: Context = info.context

        def invite() -> models.VendorInvitation:
            throttles.take_mail_request(context.network)
            vendor_id = decode_int(input.vendor_id, "Vendor", field=["vendorId"])
            return services.invite_clerk(caller=context.caller, vendor_id=vendor_id, email=input.email)

        try:
            return VendorClerkInvitePayload(invitation=cast(VendorInvitation, await db(invite)))
        except DomainError as error:
            return VendorClerkInvitePayload(user_errors=user_errors(error))

    @strawberry.mutation(
        description="Take an invitation back, of a vendor that you own: its link is good no more.",
        extensions=[guard(SignedIn())],
    )
    async def vendor_clerk_invitation_revoke(
        self,
        info: Info,
        input: Annotated[VendorClerkInvitationRevokeInput, strawberry.argument(description="Which invitation.")],
    ) -> VendorClerkRemovePayload:
        context: Context = info.context

        def revoke() -> None:
            key = decode_int(input.id, "VendorInvitation", field=["id"])
            services.revoke_invitation(caller=context.caller, invitation_id=key)

        return await _removed(revoke, input.id)

    @strawberry.mutation(
        description="Come to work for the vendor that has invited your address, by the token of the mailed link. Your "
        "address has to be verified: else FORBIDDEN.",
        extensions=[guard(SignedIn())],
    )
    async def vendor_clerk_accept(
        self, info: Info, input: Annotated[VendorClerkAcceptInput, strawberry.argument(description="The link's token.")]
    ) -> VendorPayload:
        context: Context = info.context
        return await _vendor(lambda: services.accept_invitation(caller=context.caller, token=input.token))

    @strawberry.mutation(
        description="Send somebody away from a vendor that you own, or leave one yourself. What they could do there "
        "ends at once. The last owner stays.",
        extensions=[guard(SignedIn())],
    )
    async def vendor_clerk_remove(
        self, info: Info, input: Annotated[VendorClerkRemoveInput, strawberry.argument(description="Who goes.")]
    ) -> VendorClerkRemovePayload:
        context: Context = info.context

        def remove() -> None:
            key = decode_int(input.id, "VendorMember", field=["id"])
            services.remove_member(caller=context.caller, member_id=key)

        return await _removed(remove, input.id)


async def _vendor(command: Callable[[], models.Vendor]) -> VendorPayload:
    """Roles may have changed: this process asks anew who may what."""
    try:
        vendor = await db(command)
    except DomainError as error:
        return VendorPayload(user_errors=user_errors(error))
    callers.forget()
    return VendorPayload(vendor=cast(Vendor, vendor))


async def _removed(command: Callable[[], None], id: str) -> VendorClerkRemovePayload:
    try:
        await db(command)
    except DomainError as error:
        return VendorClerkRemovePayload(user_errors=user_errors(error))
    callers.forget()
    return VendorClerkRemovePayload(deleted_id=strawberry.ID(id))
