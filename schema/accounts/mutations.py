"""Signing in, staying signed in, and signing out."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from backend.accounts import services
from backend.accounts.errors import InvalidCredentials, PasswordChanged, TokenExpired, TokenInvalid
from backend.accounts.models import Challenge
from backend.accounts.throttles import SignInTry
from backend.core.errors import DomainError, Required
from schema.accounts.inputs import SessionRevokeInput, TokenCreateInput, TokenRefreshInput, TokenRevokeInput
from schema.accounts.payloads import AuthPayload, RevokePayload, auth_payload, sign_in_payload
from schema.server import callers, cookies
from schema.server.context import Context
from schema.server.db import db, few_with_passwords, hashing
from schema.server.errors import user_errors
from schema.server.ids import decode_uuid
from schema.server.permissions import SignedIn, guard


@strawberry.type
class SessionMutation:
    @strawberry.mutation(
        description="Sign in with a password. A wrong login and a wrong password are answered alike. With a second "
        "factor the answer is a `challenge` instead of tokens."
    )
    async def token_create(
        self, info: Info, input: Annotated[TokenCreateInput, strawberry.argument(description="Who signs in.")]
    ) -> AuthPayload:
        context: Context = info.context
        try:
            async with few_with_passwords():
                outcome = await _sign_in(context, input)
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        return await sign_in_payload(context, outcome, input.cart_id)

    @strawberry.mutation(
        description="Trade a refresh token for the next one and a new access token. A refresh token is good once; the "
        "same again within a few seconds gives the same successor, and later ends the session."
    )
    async def token_refresh(
        self, info: Info, input: Annotated[TokenRefreshInput, strawberry.argument(description="What to trade.")]
    ) -> AuthPayload:
        context: Context = info.context
        token = input.refresh_token or cookies.refresh_cookie(context.request)
        try:
            if token is None:
                raise Required("Send the refresh token.", field=["refreshToken"])
            tokens = await db(services.refresh_session, refresh_token=token, user_agent=context.user_agent)
        except DomainError as error:
            if isinstance(error, TokenInvalid):
                callers.forget()
            if input.refresh_token is None:
                cookies.delete_cookies_of(context.request, context.response)
            return AuthPayload(user_errors=user_errors(error))
        return auth_payload(context, tokens, cookie=input.refresh_token is None)

    @strawberry.mutation(
        description="Sign out: the session's access tokens end at once, everywhere. Signing out twice is no error; "
        "`revoked` then is false."
    )
    async def token_revoke(
        self, info: Info, input: Annotated[TokenRevokeInput, strawberry.argument(description="What to end.")]
    ) -> RevokePayload:
        context: Context = info.context
        token = input.refresh_token or cookies.refresh_cookie(context.request)
        caller = context.caller
        cookies.delete_cookies_of(context.request, context.response)

        def revoke() -> bool:
            if token is not None:
                return services.revoke_by_refresh_token(refresh_token=token)
            if caller.session_id is None:
                if context.refused == "TOKEN_INVALID":
                    return False
                if context.refused == "TOKEN_EXPIRED":
                    raise TokenExpired("The access token's time is over: send the refresh token.")
                raise Required("Send a refresh token, or an access token with the request.", field=["refreshToken"])
            return services.revoke_session(caller=caller, session_id=caller.session_id)

        return await _revoke(revoke)

    @strawberry.mutation(
        description="Sign out on every device, this one too.",
        extensions=[guard(SignedIn(without_factor=True))],
    )
    async def token_revoke_all(self, info: Info) -> RevokePayload:
        context: Context = info.context
        cookies.delete_cookies_of(context.request, context.response)
        return await _revoke(lambda: services.revoke_all_sessions(user_id=context.caller.user_id or 0) > 0)

    @strawberry.mutation(
        description="Sign one of your devices out. `viewer.sessions` lists them.",
        extensions=[guard(SignedIn(without_factor=True))],
    )
    async def session_revoke(
        self, info: Info, input: Annotated[SessionRevokeInput, strawberry.argument(description="The device.")]
    ) -> RevokePayload:
        def revoke() -> bool:
            session_id = decode_uuid(input.id, "Session", field=["id"])
            return services.revoke_session(caller=info.context.caller, session_id=session_id)

        return await _revoke(revoke)


async def _sign_in(context: Context, input: TokenCreateInput) -> services.Tokens | Challenge:
    candidate = await db(services.find_candidate, login=input.login)
    attempt = await db(SignInTry, account=services.account_key(candidate, input.login), network=context.network)
    proof = await hashing(services.check_password, candidate, input.password)
    settle = partial(_settle, attempt, user_agent=context.user_agent, cart_id=input.cart_id)
    try:
        return await db(settle, candidate=candidate, proof=proof)
    except PasswordChanged:  # or another login of the same instant has stored a better hash of it
        candidate = await db(services.find_candidate, login=input.login)
        proof = await hashing(services.check_password, candidate, input.password)
        return await db(settle, candidate=candidate, proof=proof)


def _settle(attempt: SignInTry, **given: Any) -> services.Tokens | Challenge:
    """Whoever's password was right is signed in, and the try counted. Raises InvalidCredentials or PasswordChanged."""
    try:
        outcome = services.sign_in(**given)
    except PasswordChanged:
        raise
    except InvalidCredentials:
        attempt.failed()
        raise
    attempt.succeeded()
    return outcome


async def _revoke(command: Callable[[], bool]) -> RevokePayload:
    try:
        revoked = await db(command)
    except DomainError as error:
        return RevokePayload(revoked=False, user_errors=user_errors(error))
    callers.forget()
    return RevokePayload(revoked=revoked)
