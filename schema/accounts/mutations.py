"""Signing in and out, and everything that people change about their own account."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from backend.accounts import services
from backend.core.errors import DomainError
from schema.accounts.inputs import TokenCreateInput
from schema.accounts.types import AuthPayload, as_payload
from schema.server.context import Context
from schema.server.db import db, hashing
from schema.server.errors import user_errors


@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        description="Sign in with a password. A wrong login and a wrong password are answered alike. With a second "
        "factor the answer is a `challenge` instead of tokens."
    )
    async def token_create(
        self, info: Info, input: Annotated[TokenCreateInput, strawberry.argument(description="Who signs in.")]
    ) -> AuthPayload:
        context: Context = info.context
        try:
            candidate = await db(services.find_candidate, login=input.login)
            proof = await hashing(services.check_password, candidate, input.password)
            user = await db(services.accept, candidate, proof)
            tokens = await db(services.open_session, user=user, user_agent=context.user_agent)
        except DomainError as error:
            return AuthPayload(user_errors=user_errors(error))
        return as_payload(tokens)
