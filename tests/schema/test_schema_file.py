"""The printed schema is current, and says what everything means."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_specified_scalar_type,
)

from schema.management.commands.export_schema import printed_schema
from schema.root import schema

ROOT = Path(__file__).parent.parent.parent


def test_schema_graphql_is_current() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == printed_schema(), "run `make schema`"


def test_schema_graphql_tells_who_may_use_what() -> None:
    text = printed_schema()
    assert "  tokenRevokeAll: RevokePayload! @requires\n" in text
    assert "  viewer: User @requires\n" in text


def test_everything_has_a_description() -> None:
    assert sorted(_undescribed()) == []


def _undescribed() -> Iterator[str]:
    roots = {"Query", "Mutation", "Subscription"}
    for name, named in schema._schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(named):
            continue
        if not named.description and name not in roots:
            yield name
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in named.fields.items():
                if not field.description:
                    yield f"{name}.{field_name}"
                yield from (f"{name}.{field_name}({key})" for key, each in field.args.items() if not each.description)
        elif isinstance(named, GraphQLEnumType):
            yield from (f"{name}.{key}" for key, value in named.values.items() if not value.description)
        elif isinstance(named, GraphQLInputObjectType):
            yield from (f"{name}.{key}" for key, field in named.fields.items() if not field.description)
