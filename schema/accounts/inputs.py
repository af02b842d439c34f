"""What clients send about accounts."""

import strawberry

from schema.carts.merging import CART_ID

PASSWORD_AGAIN = "The password you have now, once more."


@strawberry.input(description="Signing in with a password.")
class TokenCreateInput:
    login: str = strawberry.field(description="The email address or username, in any case of letters.")
    password: str = strawberry.field(description="The password.")
    cart_id: strawberry.ID | None = strawberry.field(default=None, description=CART_ID)


@strawberry.input(description="Staying signed in.")
class TokenRefreshInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="The newest refresh token; left out in cookie mode."
    )


@strawberry.input(description="Signing out.")
class TokenRevokeInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="A refresh token of the session to end; without one, the session that asks."
    )


@strawberry.input(description="Signing another device out.")
class SessionRevokeInput:
    id: strawberry.ID = strawberry.field(description="The session's id.")
