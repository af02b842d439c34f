"""One-time codes, and the second factor."""

from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types import Info

from backend.accounts import services
from backend.accounts.errors import NO_CHALLENGE, CodeInvalid
from backend.core.errors import DomainError, NotFound
from schema.accounts.inputs import (
    OtpRequestInput,
    PhoneVerifyInput,
    RecoveryCodesRenewInput,
    TokenChallengeAnswerInput,
    TwoFactorConfirmInput,
    TwoFactorDisableInput,
)
from schema.accounts.payloads import (
    AuthPayload,
    ChallengePayload,
    RecoveryCodesPayload,
    TwoFactorConfirmPayload,
    TwoFactorEnablePayload,
    UserPayload,
    as_challenge,
    sign_in_payload,
)
from schema.accounts.types import as_user
from schema.server import callers
from schema.server.context import Context
from schema.server.db import db
from schema.server.errors import user_errors
from schema.server.ids import decode_uuid
from schema.server.permissions import SignedIn, guard


@strawberry.type
class CodeMutation:
    @strawberry.mutation(
        description="Have a six-digit code sent, to sign in with by `tokenChallengeAnswer` within a few minutes. The "
        "answer is the same whether there is such an account; it must have verified the address or number."
    )
    async def otp_request(
        self, info: Info, input: Annotated[OtpRequestInput, strawberry.argument(description="Where to.")]
    ) -> ChallengePayload:
        context: Context = info.context
        try:
            challenge = await db(
                services.request_code,
                destination=input.destination,
                country=context.shop.country,
                network=context.network,
                cart_id=input.cart_id,
            )
        except DomainError as error:
            return ChallengePayload(user_errors=user_errors(error))
        return ChallengePayload(challenge=as_challenge(challenge))

    @strawberry.mutation(
        description="Sign in by the code that a challenge asks for. A code that was sent may be followed by another "
        "challenge, where a second factor is on. The guest's cart that began it is merged at the end."
    )
    async def token_challenge_answer(
        self, info: Info, input: Annotated[TokenChallengeAnswerInput, strawberry.argument(description="The code.")]
    ) -> AuthPayload:
        context: Context = info.context

        def answer() -> services.Answered:
            return services.answer_challenge(
                challenge_id=_challenge_id(input.challenge_id),
                code=input.code,
                network=context.network,
                user_agent=context.user_agent,
            )

        try:
            answered = await db(answer)
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        return await sign_in_payload(context, answered.outcome, answered.cart_id or None)

    @strawberry.mutation(
        description="Begin a second factor: a secret for an authenticator app. It counts once `twoFactorConfirm` has "
        "seen a code of the app; asked again before that, it is another secret. Needs a sign-in of the last minutes "
        "(SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn(without_factor=True))],
    )
    async def two_factor_enable(self, info: Info) -> TwoFactorEnablePayload:
        try:
            begun = await db(services.enable_second_factor, **_who(info.context))
        except DomainError as error:
            return TwoFactorEnablePayload(user_errors=user_errors(error))
        return TwoFactorEnablePayload(secret=begun.secret, otpauth_uri=begun.uri)

    @strawberry.mutation(
        description="Enable the second factor by a code of the app: from now on signing in asks for one. Needs a "
        "sign-in of the last minutes (SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn(without_factor=True))],
    )
    async def two_factor_confirm(
        self, info: Info, input: Annotated[TwoFactorConfirmInput, strawberry.argument(description="The code.")]
    ) -> TwoFactorConfirmPayload:
        context: Context = info.context
        try:
            codes = await db(services.confirm_second_factor, **_who(context), code=input.code, network=context.network)
        except DomainError as error:
            return TwoFactorConfirmPayload(user_errors=user_errors(error))
        callers.forget()
        return TwoFactorConfirmPayload(recovery_codes=codes)

    @strawberry.mutation(
        description="New recovery codes, by a code of the app or one of the old ones, which are void then.",
        extensions=[guard(SignedIn())],
    )
    async def recovery_codes_renew(
        self, info: Info, input: Annotated[RecoveryCodesRenewInput, strawberry.argument(description="The code.")]
    ) -> RecoveryCodesPayload:
        context: Context = info.context
        try:
            codes = await db(
                services.renew_recovery_codes, user_id=_id(context), code=input.code, network=context.network
            )
        except DomainError as error:
            return RecoveryCodesPayload(user_errors=user_errors(error))
        return RecoveryCodesPayload(recovery_codes=codes)

    @strawberry.mutation(
        description="Go back to one factor, by a code of the app or a recovery code.", extensions=[guard(SignedIn())]
    )
    async def two_factor_disable(
        self, info: Info, input: Annotated[TwoFactorDisableInput, strawberry.argument(description="The code.")]
    ) -> UserPayload:
        context: Context = info.context
        try:
            user = await db(
                services.disable_second_factor, user_id=_id(context), code=input.code, network=context.network
            )
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        callers.forget()
        return UserPayload(user=as_user(user))

    @strawberry.mutation(
        description="Have a code sent to the phone number of your profile, to show by `phoneVerify` that it is yours. "
        "Needs a sign-in of the last minutes (SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn())],
    )
    async def phone_verification_request(self, info: Info) -> ChallengePayload:
        context: Context = info.context
        try:
            challenge = await db(services.request_phone_code, **_who(context), network=context.network)
        except DomainError as error:
            return ChallengePayload(user_errors=user_errors(error))
        return ChallengePayload(challenge=as_challenge(challenge))

    @strawberry.mutation(
        description="Show that your phone number is yours: then `otpRequest` sends codes there. Who had shown the same "
        "of this number before has to do so again. Needs a sign-in of the last minutes (SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn())],
    )
    async def phone_verify(
        self, info: Info, input: Annotated[PhoneVerifyInput, strawberry.argument(description="The code.")]
    ) -> UserPayload:
        context: Context = info.context

        def verify() -> UserPayload:
            challenge_id = _challenge_id(input.challenge_id)
            user = services.verify_phone(**_who(context), challenge_id=challenge_id, code=input.code)
            return UserPayload(user=as_user(user))

        try:
            return await db(verify)
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))


def _who(context: Context) -> dict[str, Any]:
    """For what changes how somebody gets in: it needs a session that was begun a moment ago."""
    return {"user_id": _id(context), "session_id": context.caller.session_id}


def _id(context: Context) -> int:
    assert context.caller.user_id is not None
    return context.caller.user_id


def _challenge_id(given: str) -> UUID:
    """Raises CodeInvalid for what is no challenge's id, as for one that is nobody's."""
    try:
        return decode_uuid(given, "Challenge")
    except NotFound as error:
        raise CodeInvalid(NO_CHALLENGE, field=["challengeId"]) from error
