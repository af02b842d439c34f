"""What clients send about accounts."""

import strawberry


@strawberry.input(description="Signing in with a password.")
class TokenCreateInput:
    login: str = strawberry.field(description="The email address or username, in any case of letters.")
    password: str = strawberry.field(description="The password.")
