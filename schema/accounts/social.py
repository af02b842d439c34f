"""Signing in with Google and GitHub."""

from typing import Annotated, Any

import strawberry
from django.conf import settings
from strawberry.types import Info

from backend.accounts import services, throttles
from backend.accounts.models import Challenge
from backend.accounts.services import Tokens
from backend.accounts.social import providers
from backend.core.errors import DomainError
from schema.accounts.payloads import AuthPayload, UserPayload, sign_in_payload
from schema.accounts.providers import SocialProvider
from schema.accounts.types import as_user
from schema.carts.merging import CART_ID
from schema.server import callers, cookies
from schema.server.context import Context
from schema.server.db import db, io
from schema.server.errors import UserError, user_errors
from schema.server.permissions import SignedIn, guard


@strawberry.input(description="Beginning to sign in with a provider.")
class SocialAuthStartInput:
    provider: SocialProvider = strawberry.field(description="With whom; `socialProviders` says who is offered.")
    redirect_uri: str = strawberry.field(
        description="The page of yours that the browser comes back to, with `code` and `state` in its query."
    )
    without_cookie: bool = strawberry.field(
        default=False,
        description="For apps that keep no cookies: `binding` is in the answer, to be kept and sent to "
        "`socialTokenCreate`. A page in a browser leaves this alone.",
    )


@strawberry.input(description="Linking a provider to your account with what it has sent back.")
class SocialAccountLinkInput:
    provider: SocialProvider = strawberry.field(description="With whom it was begun.")
    code: str = strawberry.field(description="`code` of the query that the browser came back with.")
    state: str = strawberry.field(description="`state` of that query.")
    binding: str | None = strawberry.field(
        default=None, description="What `socialAuthStart` gave an app without cookies; a browser's cookie says it else."
    )


@strawberry.input(description="Signing in with what the provider has sent back.")
class SocialTokenCreateInput(SocialAccountLinkInput):
    cart_id: strawberry.ID | None = strawberry.field(default=None, description=CART_ID)


@strawberry.input(description="Taking a provider off your account.")
class SocialAccountUnlinkInput:
    provider: SocialProvider = strawberry.field(description="Which one.")


@strawberry.type(description="Where to send the browser, or why it stays.")
class SocialAuthStartPayload:
    authorization_url: str | None = strawberry.field(
        default=None, description="The provider's page: send the browser there. Null when it was refused."
    )
    state: str | None = strawberry.field(
        default=None, description="What comes back in the query, for `socialTokenCreate`."
    )
    binding: str | None = strawberry.field(
        default=None, description="For apps that asked for it; null where a cookie holds it."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was begun; empty when all went well."
    )


@strawberry.type
class SocialQuery:
    @strawberry.field(description="With whom people can sign in here, for the buttons of a sign-in page.")
    def social_providers(self) -> list[SocialProvider]:
        return providers.offered()


@strawberry.type
class SocialMutation:
    @strawberry.mutation(
        description="Begin to sign in with a provider. Only the browser (by a cookie) or app (by `binding`) that has "
        "begun can go on with `socialTokenCreate`, once, within some minutes."
    )
    async def social_auth_start(
        self, info: Info, input: Annotated[SocialAuthStartInput, strawberry.argument(description="With whom.")]
    ) -> SocialAuthStartPayload:
        context: Context = info.context

        def start() -> services.Started:
            throttles.take_social_start(context.network)
            return services.start_social(
                provider=providers.SocialProvider(input.provider), redirect_uri=input.redirect_uri
            )

        try:
            started = await db(start)
        except DomainError as error:
            return SocialAuthStartPayload(user_errors=user_errors(error))
        payload = SocialAuthStartPayload(authorization_url=started.authorization_url, state=started.state)
        kept = not input.without_cookie and cookies.set_binding(
            context.request,
            context.response,
            state=started.state,
            binding=started.binding,
            lives_s=settings.CODE_MINUTES * 120,
        )
        if not kept:
            payload.binding = started.binding
        return payload

    @strawberry.mutation(
        description="Sign in with what the provider has sent back. Whoever comes for the first time gets the account "
        "with the same email address, or a new one; the provider must have verified the address (else FORBIDDEN). An "
        "account whose own address nobody had verified loses its password, sessions and second factor then: somebody "
        "else may have made it. One of those that may do more than a customer stays as it is (ACCOUNT_PROTECTED)."
    )
    async def social_token_create(
        self, info: Info, input: Annotated[SocialTokenCreateInput, strawberry.argument(description="What came back.")]
    ) -> AuthPayload:
        context: Context = info.context
        binding = input.binding or cookies.take_binding(context.request, context.response, state=input.state)
        try:
            outcome = await _finish(context, input, binding)
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        callers.forget()
        return await sign_in_payload(context, outcome, input.cart_id)


@strawberry.type
class SocialLinkMutation:
    @strawberry.mutation(
        description="Let one more provider open your account: begin with `socialAuthStart`, and send here what it has "
        "sent back. Its address may be another than yours. Needs a sign-in of the last minutes (SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn())],
    )
    async def social_account_link(
        self, info: Info, input: Annotated[SocialAccountLinkInput, strawberry.argument(description="What came back.")]
    ) -> UserPayload:
        context: Context = info.context
        binding = input.binding or cookies.take_binding(context.request, context.response, state=input.state)
        try:
            identity = await _ask(input.provider, input.code, input.state, binding)
            user = await db(services.link_provider, identity, **_me(context))
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        return UserPayload(user=as_user(user))

    @strawberry.mutation(
        description="Let a provider open your account no more. Never the last way in (LAST_WAY_IN): without a password "
        "another provider must stay. Needs a sign-in of the last minutes (SIGN_IN_AGAIN).",
        extensions=[guard(SignedIn())],
    )
    async def social_account_unlink(
        self, info: Info, input: Annotated[SocialAccountUnlinkInput, strawberry.argument(description="Which one.")]
    ) -> UserPayload:
        context: Context = info.context
        try:
            user = await db(services.unlink_provider, provider=providers.SocialProvider(input.provider), **_me(context))
        except DomainError as error:
            return UserPayload(user_errors=user_errors(error))
        return UserPayload(user=as_user(user))


def _me(context: Context) -> dict[str, Any]:
    return {"user_id": context.caller.user_id, "session_id": context.caller.session_id}


async def _ask(kind: Any, code: str, state: str, binding: str | None) -> services.Identity:
    begun = await db(services.take_start, provider=providers.SocialProvider(kind), state=state, binding=binding)
    return await io(services.ask_provider, begun, code)


async def _finish(context: Context, input: SocialTokenCreateInput, binding: str | None) -> Tokens | Challenge:
    identity = await _ask(input.provider, input.code, input.state, binding)
    return await db(
        services.finish_social,
        identity,
        language=context.shop.language,
        user_agent=context.user_agent,
        cart_id=input.cart_id,
    )
