"""Reading oneself."""

import strawberry
from strawberry.types import Info

from schema.accounts.types import User, user_of
from schema.server.permissions import SignedIn, guard


@strawberry.type
class AccountQuery:
    @strawberry.field(
        description="You: whoever the access token belongs to. Null beside the error UNAUTHENTICATED for guests.",
        extensions=[guard(SignedIn(without_factor=True))],
    )
    def viewer(self, info: Info) -> User | None:
        return user_of(info.context.caller.user_id)
