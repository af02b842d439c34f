"""Becoming a customer, and what people change about their own account."""

from typing import Annotated, Any

import orjson
import strawberry
from strawberry.types import Info

from backend.accounts import queries, services, throttles
from backend.accounts.models import User
from backend.accounts.services import ProfileChange, Proof, Registration
from backend.core.errors import DomainError, NotFound, Required
from backend.core.saving import KEEP
from schema.accounts.inputs import (
    EmailVerifyInput,
    PasswordChangeInput,
    PasswordResetInput,
    PasswordResetRequestInput,
    UserDeleteInput,
    UserRegisterInput,
    UserUpdateInput,
)
from schema.accounts.payloads import (
    AcceptedPayload,
    AuthPayload,
    UserDataExportPayload,
    UserDeletePayload,
    UserPayload,
    auth_payload,
    join_cart,
    sign_in_payload,
)
from schema.accounts.types import as_user
from schema.server import callers, cookies
from schema.server.context import Context
from schema.server.db import db, hashing
from schema.server.errors import user_errors
from schema.server.permissions import SignedIn, guard


@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        description="Become a customer, and be signed in. A link is mailed to confirm the address; until it is opened, "
        "`emailVerified` is false."
    )
    async def user_register(
        self, info: Info, input: Annotated[UserRegisterInput, strawberry.argument(description="Who comes.")]
    ) -> AuthPayload:
        context: Context = info.context
        given = Registration(
            email=input.email,
            password=input.password,
            username=input.username,
            first_name=input.first_name or "",
            last_name=input.last_name or "",
            phone=input.phone or "",
        )
        try:
            await db(throttles.take_registration, context.network)
            user = await db(services.checked_registration, given, country=context.shop.country)
            user = await hashing(services.with_password, user, input.password)
            tokens = await db(
                services.register, user=user, language=context.shop.language, user_agent=context.user_agent
            )
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        return await join_cart(auth_payload(context, tokens), input.cart_id)

    @strawberry.mutation(
        description="Confirm an email address by the token of a mailed link: the first one, or a new one."
    )
    async def email_verify(
        self, info: Info, input: Annotated[EmailVerifyInput, strawberry.argument(description="The link's token.")]
    ) -> UserPayload:
        try:
            user = await db(services.verify_email, token=input.token)
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        return UserPayload(user=as_user(user))

    @strawberry.mutation(
        description="Have the link mailed once more that confirms your address.", extensions=[guard(SignedIn())]
    )
    async def email_verification_request(self, info: Info) -> AcceptedPayload:
        context: Context = info.context

        def request() -> None:
            throttles.take_mail_request(context.network)
            services.request_verification(user_id=_id(context))

        return await _accepted(request)

    @strawberry.mutation(
        description="Change names, phone number, username, language, or (with the password) the email address. All or "
        "nothing.",
        extensions=[guard(SignedIn())],
    )
    async def user_update(
        self, info: Info, input: Annotated[UserUpdateInput, strawberry.argument(description="What changes.")]
    ) -> UserPayload:
        context: Context = info.context
        try:
            candidate, proof = None, None
            asked: bool = bool(input.email) and await db(_asks_for_proof, context, input)
            if asked:
                candidate, proof = await _prove(context, input.current_password, "currentPassword")
            user = await db(
                services.update_profile,
                user_id=_id(context),
                change=change_of(input),
                country=context.shop.country,
                candidate=candidate,
                proof=proof,
            )
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        return UserPayload(user=as_user(user))

    @strawberry.mutation(
        description="Change your password. Your other devices are signed out. Whoever has none sets the first "
        "one, soon after signing in.",
        extensions=[guard(SignedIn())],
    )
    async def password_change(
        self, info: Info, input: Annotated[PasswordChangeInput, strawberry.argument(description="Old and new.")]
    ) -> UserPayload:
        context: Context = info.context
        try:
            candidate, proof = await _prove(context, input.current_password, "currentPassword")
            if candidate.user is not None and proof.right:
                await db(services.check_password_change, user=candidate.user, new=input.new_password)
            new_hash = await hashing(services.hash_password, input.new_password) if proof.right else ""
            user = await db(
                services.change_password, caller=context.caller, candidate=candidate, proof=proof, new_hash=new_hash
            )
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        callers.forget()
        return UserPayload(user=as_user(user))

    @strawberry.mutation(
        description="Have a link mailed to set a new password. The answer is the same whether there is an account."
    )
    async def password_reset_request(
        self, info: Info, input: Annotated[PasswordResetRequestInput, strawberry.argument(description="Who forgot.")]
    ) -> AcceptedPayload:
        context: Context = info.context

        def request() -> None:
            throttles.take_mail_request(context.network)
            services.request_password_reset(email=input.email)

        return await _accepted(request)

    @strawberry.mutation(
        description="Set a new password by the token of a mailed link. Every device is signed out, and this one in."
    )
    async def password_reset(
        self, info: Info, input: Annotated[PasswordResetInput, strawberry.argument(description="Link and password.")]
    ) -> AuthPayload:
        context: Context = info.context
        try:
            await db(services.check_password_reset, token=input.token, new=input.new_password)
            new_hash = await hashing(services.hash_password, input.new_password)
            outcome = await db(
                services.reset_password, token=input.token, new_hash=new_hash, user_agent=context.user_agent
            )
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        callers.forget()
        return await sign_in_payload(context, outcome, None)

    @strawberry.mutation(
        description="Leave for good: what is known of you is erased or made anonymous. Orders are kept for the "
        "books. A vendor that you alone own sells nothing from then on.",
        extensions=[guard(SignedIn())],
    )
    async def user_delete(
        self, info: Info, input: Annotated[UserDeleteInput, strawberry.argument(description="That it is you.")]
    ) -> UserDeletePayload:
        context: Context = info.context
        try:
            candidate, proof = await _prove(context, input.password, "password")
            await db(services.delete_user, candidate=candidate, proof=proof)
        except DomainError as error:
            return UserDeletePayload(deleted=False, user_errors=user_errors(error))
        callers.forget()
        cookies.delete_cookies_of(context.request, context.response)
        return UserDeletePayload(deleted=True)

    @strawberry.mutation(description="Everything that the shop knows of you.", extensions=[guard(SignedIn())])
    async def user_data_export(self, info: Info) -> UserDataExportPayload:
        context: Context = info.context

        def export() -> Any:
            throttles.take_mail_request(context.network)
            return orjson.loads(orjson.dumps(services.export_data(user_id=_id(context))))

        try:
            return UserDataExportPayload(data=await db(export))
        except DomainError as error:
            return UserDataExportPayload(user_errors=user_errors(error))


def _id(context: Context) -> int:
    assert context.caller.user_id is not None
    return context.caller.user_id


def _own_row(context: Context) -> User:
    row = queries.users_by_id([_id(context)]).get(_id(context))
    if row is None:
        raise NotFound
    return row


def _asks_for_proof(context: Context, input: UserUpdateInput) -> bool:
    """Of who has a password and does not send it, the service says so among all that is at fault."""
    user = _own_row(context)
    told = input.current_password is not None or not user.has_usable_password()
    return told and (input.email or "").strip() != user.email


async def _prove(context: Context, password: str | None, field: str) -> tuple[services.Candidate, Proof]:
    """Compare the caller's password once more; of those who have none, ask that they have just signed in.

    Raises Required, SignInAgain or TooManyAttempts.
    """
    user = await db(_own_row, context)
    if not user.has_usable_password():
        return await db(services.prove_without_password, user=user, session_id=context.caller.session_id)
    if password is None:
        raise Required("Your password is needed.", field=[field])
    await db(throttles.take_password_try, _id(context))
    candidate = services.candidate_of(user)
    proof = await hashing(services.check_password, candidate, password)
    if proof.right:
        await db(throttles.give_password_try_back, _id(context))
    return candidate, proof


async def _accepted(request: Any) -> AcceptedPayload:
    try:
        await db(request)
    except DomainError as error:
        return AcceptedPayload(accepted=False, user_errors=user_errors(error))
    return AcceptedPayload(accepted=True)


def change_of(input: Any) -> ProfileChange:
    """What an input with the fields of a profile says is to change."""

    def text(value: Any) -> Any:
        return KEEP if value is strawberry.UNSET else value or ""

    language: Any = KEEP
    if input.language is not strawberry.UNSET:
        language = None if input.language is None else input.language.value
    return ProfileChange(
        first_name=text(input.first_name),
        last_name=text(input.last_name),
        phone=text(input.phone),
        username=text(input.username),
        email=text(input.email),
        language=language,
    )
