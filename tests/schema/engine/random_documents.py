"""Random valid documents over any schema, for comparing two ways to run them."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)
from hypothesis import strategies as st

FLAGS = ("yes", "no")
VARIABLES = {"yes": True, "no": False}
HEADER = "($yes: Boolean! = true, $no: Boolean! = false)"


@st.composite
def documents(draw: Any, schema: GraphQLSchema, depth: int = 4) -> str:
    """A query with aliases, merged fields, fragments on all kinds of types, and flags."""
    writer = _Writer(draw, schema)
    selection = writer.selection(schema.query_type, depth)
    return "\n".join([f"query Random{HEADER} {selection}", *writer.fragments])


class _Writer:
    def __init__(self, draw: Any, schema: GraphQLSchema) -> None:
        self._draw = draw
        self._schema = schema
        self._aliases = 0
        self.fragments: list[str] = []

    def selection(self, parent: Any, depth: int) -> str:
        count = self._draw(st.integers(1, 4))
        return "{ " + " ".join(self._one(parent, depth) for _ in range(count)) + " }"

    def _one(self, parent: Any, depth: int) -> str:
        kind = self._draw(st.integers(0, 9))
        if kind == 0:
            return f"__typename{self._flag()}"
        if kind == 1 and depth > 0:
            return f"... {self._on(parent)}{self._flag()} {self.selection(parent, depth - 1)}"
        if kind == 2 and depth > 0:
            return self._spread(parent, depth)
        if is_abstract_type(parent) and (kind < 8 or not getattr(parent, "fields", None)):
            concrete = self._draw(st.sampled_from(self._schema.get_possible_types(parent)))
            return f"... on {concrete.name}{self._flag()} {self.selection(concrete, depth)}"
        return self._field(parent, depth)

    def _on(self, parent: Any) -> str:
        return str(self._draw(st.sampled_from(["", f"on {parent.name}"])))

    def _spread(self, parent: Any, depth: int) -> str:
        name = f"F{len(self.fragments)}"
        self.fragments.append("")
        self.fragments[int(name[1:])] = f"fragment {name} on {parent.name} {self.selection(parent, depth - 1)}"
        return f"...{name}{self._flag()}"

    def _flag(self) -> str:
        if self._draw(st.integers(0, 5)):
            return ""
        directive = self._draw(st.sampled_from(["skip", "include"]))
        condition = self._draw(st.sampled_from(["$yes", "$no", "true", "false"]))
        return f" @{directive}(if: {condition})"

    def _field(self, parent: Any, depth: int) -> str:
        fields = {
            name: field
            for name, field in parent.fields.items()
            if is_leaf_type(get_named_type(field.type)) or depth > 0
        }
        name = self._draw(st.sampled_from(sorted(fields)))
        field = fields[name]
        arguments = ", ".join(
            f"{key}: {self._value(argument.type)}"
            for key, argument in field.args.items()
            if is_required_argument(argument) or self._draw(st.booleans())
        )
        alias = ""
        if arguments or self._draw(st.integers(0, 3)) == 0:
            self._aliases += 1
            alias = f"a{self._aliases}: "
        below = (
            ""
            if is_leaf_type(get_named_type(field.type))
            else " " + self.selection(get_named_type(field.type), depth - 1)
        )
        return f"{alias}{name}{f'({arguments})' if arguments else ''}{self._flag()}{below}"

    def _value(self, kind: Any) -> str:
        if is_non_null_type(kind):
            return self._value(kind.of_type)
        if is_list_type(kind):
            return "[" + ", ".join(self._value(kind.of_type) for _ in range(self._draw(st.integers(0, 2)))) + "]"
        if isinstance(kind, GraphQLEnumType):
            return str(self._draw(st.sampled_from(sorted(kind.values))))
        if isinstance(kind, GraphQLInputObjectType):
            chosen = [
                f"{key}: {self._value(field.type)}" for key, field in kind.fields.items() if self._draw(st.booleans())
            ]
            return "{" + ", ".join(chosen) + "}"
        if kind.name == "Boolean":
            return str(self._draw(st.sampled_from(["true", "false"])))
        if kind.name == "String":
            return '"word"'
        return str(self._draw(st.integers(0, 5)))


def named_object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found
