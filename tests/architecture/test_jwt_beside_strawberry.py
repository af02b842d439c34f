"""django-graphql-jwt's metadata forbids the graphql-core that Strawberry needs; together they work all the same."""

import strawberry
from django.contrib.auth import get_user_model
from graphql_jwt.shortcuts import get_token
from graphql_jwt.utils import get_payload

from backend.accounts.models import Session
from backend.accounts.tokens import Grants, Issue
from backend.core import clock
from backend.core.caller import Role


def test_a_token_is_made_and_read_in_the_process_that_serves_strawberry() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def email(self, token: str) -> str:
            return str(get_payload(token)["sub"])

    user = get_user_model()(pk=7, email="ada@example.com")
    issue = Issue(Session(), Grants(1, frozenset({Role.CUSTOMER}), frozenset(), is_superuser=False), clock.now())
    result = strawberry.Schema(Query).execute_sync(
        "query ($token: String!) { email(token: $token) }", variable_values={"token": get_token(user, issue)}
    )
    assert result.errors is None
    assert result.data == {"email": "7"}
