"""What mutations of accounts answer with."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry.scalars import JSON

from backend.accounts.models import Challenge as ChallengeRow
from backend.accounts.services import Tokens
from schema.accounts.types import User, as_user
from schema.carts.merging import CartMergePayload, merge_at_login
from schema.server import cookies
from schema.server.context import Context
from schema.server.errors import UserError
from schema.server.ids import encode


class ChallengeKind(Enum):
    OTP = strawberry.enum_value("OTP", description="A code that was sent by email or SMS.")
    PHONE = strawberry.enum_value("PHONE", description="A code that was sent by SMS, to be answered by `phoneVerify`.")
    TOTP = strawberry.enum_value("TOTP", description="A code of the authenticator app, or a recovery code.")


strawberry.enum(ChallengeKind, description="What is asked of somebody before they are signed in.")


@strawberry.type(description="What has to be answered with `tokenChallengeAnswer` before there are tokens.")
class Challenge:
    id: strawberry.ID = strawberry.field(description="The challenge's id, for the answer.")
    kind: ChallengeKind = strawberry.field(description="What is asked for.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered, in UTC.")


@strawberry.type(description="Tokens of a new or renewed session; or a challenge; or why there is neither.")
class AuthPayload:
    access_token: str | None = strawberry.field(
        default=None, description="Send it as `Authorization: Bearer ...`. Null in cookie mode and on refusal."
    )
    access_token_expires_at: datetime | None = strawberry.field(
        default=None, description="When the access token ends, in UTC: refresh a little earlier."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="For `tokenRefresh`, once: each use gives the next one. Null in cookie mode."
    )
    refresh_token_expires_at: datetime | None = strawberry.field(
        default=None, description="Until when the refresh token can be used, in UTC."
    )
    challenge: Challenge | None = strawberry.field(
        default=None, description="What is asked before there are tokens; null when nothing is."
    )
    user: User | None = strawberry.field(default=None, description="Who has signed in.")
    cart_merge: CartMergePayload | None = strawberry.field(
        default=None,
        description="What became of the guest's cart whose `cartId` you sent; null where nothing could be merged. "
        "Signing in never fails because of it.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why there are no tokens; empty when all went well."
    )


def auth_payload(context: Context, tokens: Tokens, *, cookie: bool = False) -> AuthPayload:
    """Tokens for the client: in the answer, or in cookies where it asks for those."""
    payload = AuthPayload(
        access_token_expires_at=tokens.access_expires_at,
        refresh_token_expires_at=tokens.refresh_expires_at,
        user=as_user(tokens.user),
    )
    if cookie or cookies.asks_for_cookies(context.request):
        cookies.set_cookies(context.response, access=tokens.access, refresh=tokens.refresh)
    else:
        payload.access_token, payload.refresh_token = tokens.access, tokens.refresh
    return payload


async def sign_in_payload(context: Context, outcome: Tokens | ChallengeRow, cart_id: str | None) -> AuthPayload:
    """The answer to every way of signing in: what `complete_sign_in` has decided, and then the guest's cart."""
    if isinstance(outcome, ChallengeRow):
        return AuthPayload(challenge=as_challenge(outcome))
    return await join_cart(auth_payload(context, outcome), cart_id)


def as_challenge(row: ChallengeRow) -> Challenge:
    kind = ChallengeKind[row.kind]
    return Challenge(id=strawberry.ID(encode("Challenge", row.pk)), kind=kind, expires_at=row.expires_at)


async def join_cart(payload: AuthPayload, cart_id: str | None) -> AuthPayload:
    """The payload of somebody who has just signed in, with what became of the guest's cart that they named."""
    if cart_id is not None and payload.user is not None:
        payload.cart_merge = await merge_at_login(user_id=payload.user.pk, cart_id=cart_id)  # type: ignore[attr-defined]
    return payload


@strawberry.type(description="Whether somebody was signed out, or why nobody was.")
class RevokePayload:
    revoked: bool = strawberry.field(description="Whether a session was ended that lived until now.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was ended; empty when all went well."
    )


@strawberry.type(description="The account after the change, or why nothing was changed.")
class UserPayload:
    user: User | None = strawberry.field(default=None, description="The account; null when the change was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Everything that is at fault; empty when all went well."
    )


@strawberry.type(description="Whether a request was taken.")
class AcceptedPayload:
    accepted: bool = strawberry.field(description="Whether it was taken. It does not say whether there is an account.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was not taken; empty when it was."
    )


@strawberry.type(description="Whether the account is gone.")
class UserDeletePayload:
    deleted: bool = strawberry.field(description="Whether it is gone.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it stays; empty when it is gone."
    )


@strawberry.type(description="Everything that the shop knows of you.")
class UserDataExportPayload:
    data: JSON | None = strawberry.field(
        default=None, description="By domain, as JSON: the account, carts, orders, mails. Amounts are in minor units."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why there is none; empty when all went well."
    )


@strawberry.type(description="The challenge to answer, or why there is none.")
class ChallengePayload:
    challenge: Challenge | None = strawberry.field(
        default=None, description="To be answered with the code. It does not say whether anybody was sent one."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why no code was asked for; empty when all went well."
    )


@strawberry.type(description="What an authenticator app is to know, or why there is nothing.")
class TwoFactorEnablePayload:
    secret: str | None = strawberry.field(default=None, description="The secret, for those who type it: in base32.")
    otpauth_uri: str | None = strawberry.field(default=None, description="The same to be shown as a QR code.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was begun; empty when all went well."
    )


@strawberry.type(description="New recovery codes, or why the old ones stay.")
class RecoveryCodesPayload:
    recovery_codes: list[str] | None = strawberry.field(
        default=None,
        description="Each opens the account once when the app is lost. Shown now and never again: have them kept.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why there are none; empty when all went well."
    )


@strawberry.type(description="Recovery codes of the second factor, or why it is not enabled.")
class TwoFactorConfirmPayload:
    recovery_codes: list[str] | None = strawberry.field(
        default=None,
        description="Each opens the account once when the app is lost. Shown now and never again: have them kept.",
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it is not enabled; empty when it is."
    )
