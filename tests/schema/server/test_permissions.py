"""Guards: who gets in, what others are told, and that the schema says so."""

import asyncio
from typing import Any

import pytest
import strawberry
from graphql import build_schema
from strawberry.printer import print_schema

from backend.core.caller import GUEST, Caller, Role
from schema.engine import EngineSchema, batched
from schema.server.context import Context
from schema.server.errors import PublicErrors
from schema.server.permissions import HasPermission, HasRole, SignedIn, guard


@strawberry.type
class Thing:
    name: str = "thing"

    @batched(description="A secret.", permission_classes=[SignedIn])
    def secret(things: list[Any]) -> list[str]:
        return ["secret" for _ in things]


@strawberry.type
class Query:
    @strawberry.field(description="One.", extensions=[guard(SignedIn())])
    def signed_in(self) -> str | None:
        return "in"

    @strawberry.field(description="Two.", extensions=[guard(HasRole(Role.SUPPORT, Role.ADMIN))])
    async def role(self) -> str | None:
        return "in"

    @strawberry.field(description="Three.", extensions=[guard(HasPermission("orders.view_order"))])
    async def permission(self) -> str | None:
        return "in"

    @strawberry.field
    def things(self) -> list[Thing]:
        return [Thing(), Thing()]


schema = EngineSchema(Query, extensions=[PublicErrors])
CUSTOMER = Caller(1, roles=frozenset({Role.CUSTOMER}))
SUPPORT = Caller(2, roles=frozenset({Role.CUSTOMER, Role.SUPPORT}))
CLERK = Caller(3, permissions=frozenset({"orders.view_order"}))
ROOT = Caller(4, is_superuser=True)


def ask(document: str, caller: Caller) -> Any:
    context = Context()
    context.caller = caller
    return asyncio.run(schema.execute(document, context_value=context))


@pytest.mark.parametrize(
    ("caller", "signed_in", "role", "permission"),
    [
        (GUEST, "UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"),
        (CUSTOMER, "in", "FORBIDDEN", "FORBIDDEN"),
        (SUPPORT, "in", "in", "FORBIDDEN"),
        (CLERK, "in", "FORBIDDEN", "in"),
        (ROOT, "in", "in", "in"),
    ],
)
def test_each_field_lets_in_whom_it_names(caller: Caller, signed_in: str, role: str, permission: str) -> None:
    for field, expected in (("signedIn", signed_in), ("role", role), ("permission", permission)):
        result = ask(f"{{ {field} }}", caller)
        told = [error.extensions["code"] for error in result.errors or ()] or [result.data[field]]
        assert told == [expected]


@pytest.mark.parametrize(("caller", "told"), [(GUEST, {"UNAUTHENTICATED"}), (CUSTOMER, set())])
def test_fields_of_rows_are_guarded_too(caller: Caller, told: set[str]) -> None:
    result = ask("{ things { name secret } }", caller)
    assert {error.extensions["code"] for error in result.errors or ()} == told


def test_descriptions_and_directives_say_who_gets_in() -> None:
    fields = schema._schema.query_type.fields  # type: ignore[union-attr]
    assert fields["signedIn"].description == "One. Needs a signed-in caller."
    assert fields["role"].description == "Two. Needs the role SUPPORT or ADMIN."
    assert fields["permission"].description == "Three. Needs the permission orders.view_order."
    text = print_schema(schema)
    build_schema(text)
    assert "@requires(roles: [SUPPORT, ADMIN])" in text
    assert '@requires(permission: "orders.view_order")' in text
