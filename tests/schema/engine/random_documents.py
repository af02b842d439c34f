"""Random valid documents over any schema, with variables for them, for comparing two ways to run them."""

import json
from collections.abc import Collection, Sequence
from random import Random
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

FLAGS = {"yes": "Boolean! = true", "no": "Boolean! = false", "maybe": "Boolean = true"}
SCALARS: dict[str, Sequence[Any]] = {
    "Int": (0, 1, 2, 5),
    "Float": (0.5, 2, -1500.0),
    "Boolean": (True, False),
    "DateTime": ("2020-01-02T03:04:05+00:00",),
    "Decimal": ("1.50", "0"),
    "JSON": ("text", [], {"a": [1, None]}, 1.5, True),
}
WORDS = ("word", "", "Wörter 'é'", 'a "quoted" one', "7")


class Drawn(NamedTuple):
    document: str
    variables: dict[str, Any]


@st.composite
def documents(
    draw: Any,
    schema: GraphQLSchema,
    root: str = "query",
    *,
    depth: int = 4,
    words: Sequence[str] = WORDS,
    without: Collection[str] = (),
) -> Drawn:
    """An operation with aliases, merged fields, fragments on all kinds of types, flags, inputs and variables.

    `words` are what strings and ids are taken from; `without` are fields to leave alone. Only the seed is
    hypothesis' choice: its own draws tend to what is small, and would take longer than running the document twice.
    """
    writer = _Writer(draw(st.randoms(use_true_random=True)), schema, words, without)
    selection = writer.selection(getattr(schema, f"{root}_type"), depth)
    header = f"({', '.join(f'${name}: {kind}' for name, kind in writer.declared.items())})" if writer.declared else ""
    return Drawn("\n".join([f"{root} Random{header} {selection}", *writer.fragments]), writer.given)


class _Writer:
    def __init__(self, random: Random, schema: GraphQLSchema, words: Sequence[str], without: Collection[str]) -> None:
        self._random = random
        self._schema = schema
        self._words = words
        self._without = without
        self._aliases = 0
        self._constant = False
        self.fragments: list[str] = []
        self.declared: dict[str, str] = {}
        self.given: dict[str, Any] = {}

    def _once_in(self, times: int) -> bool:
        return self._random.randrange(times) == 0

    def _any_of(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    # Selections ----------------------------------------------------------------------------------

    def selection(self, parent: Any, depth: int) -> str:
        count = self._random.randint(1, 4)
        return "{ " + " ".join(self._one(parent, depth) for _ in range(count)) + " }"

    def _one(self, parent: Any, depth: int) -> str:
        kind = self._random.randrange(10)
        if kind == 0:
            return f"__typename{self._flag()}"
        if kind == 1 and depth > 0:
            return f"... {self._any_of(['', f'on {parent.name}'])}{self._flag()} {self.selection(parent, depth - 1)}"
        if kind == 2 and depth > 0:
            return self._spread(parent, depth)
        if is_abstract_type(parent) and (kind < 8 or not getattr(parent, "fields", None)):
            concrete = self._any_of(self._schema.get_possible_types(parent))
            return f"... on {concrete.name}{self._flag()} {self.selection(concrete, depth)}"
        return self._field(parent, depth)

    def _spread(self, parent: Any, depth: int) -> str:
        place = len(self.fragments)
        self.fragments.append("")
        self.fragments[place] = f"fragment F{place} on {parent.name} {self.selection(parent, depth - 1)}"
        return f"...F{place}{self._flag()}"

    def _flag(self) -> str:
        if not self._once_in(6):
            return ""
        condition = self._any_of(["true", "false", *FLAGS])
        if condition in FLAGS and condition not in self.declared:
            self.declared[condition] = FLAGS[condition]
            choices = [Undefined, True, False] + [None] * (condition == "maybe")
            self._give(condition, self._any_of(choices))
        return f" @{self._any_of(['skip', 'include'])}(if: {'$' * (condition in FLAGS)}{condition})"

    def _give(self, name: str, value: Any) -> None:
        if value is not Undefined:
            self.given[name] = value

    def _field(self, parent: Any, depth: int) -> str:
        fields = {
            name: field
            for name, field in parent.fields.items()
            if name not in self._without and (is_leaf_type(get_named_type(field.type)) or depth > 0)
        }
        if not fields:
            return "__typename"
        name = self._any_of(sorted(fields))
        field = fields[name]
        arguments = ", ".join(
            f"{key}: {self._value(argument.type, defaulted=argument.default_value is not Undefined)}"
            for key, argument in field.args.items()
            if is_required_argument(argument) or self._once_in(2)
        )
        alias = ""
        if arguments or self._once_in(4):
            self._aliases += 1
            alias = f"a{self._aliases}: "
        below = get_named_type(field.type)
        selection = "" if is_leaf_type(below) else " " + self.selection(below, depth - 1)
        return f"{alias}{name}{f'({arguments})' if arguments else ''}{self._flag()}{selection}"

    # Inputs --------------------------------------------------------------------------------------

    def _value(self, kind: Any, *, defaulted: bool = False) -> str:
        """A literal of this type, or a variable in its place, or in the place of something in it."""
        if not self._constant and self._once_in(4):
            return self._variable(kind, defaulted=defaulted)
        return self._literal(kind)

    def _variable(self, kind: Any, *, defaulted: bool) -> str:
        nullable = kind.of_type if is_non_null_type(kind) else kind
        default = ""
        strict = self._once_in(3) or (is_non_null_type(kind) and not defaulted)
        if self._once_in(2):
            self._constant = True
            default = f" = {self._literal(nullable, may_be_null=False)}"
            self._constant = False
            strict = strict and self._once_in(2)
        name = f"v{len(self.declared)}"
        self.declared[name] = f"{nullable}{'!' * strict}{default}"
        if (strict and not default) or not self._once_in(3):
            self.given[name] = None if not strict and self._once_in(4) else self._json(nullable)
        return f"${name}"

    def _literal(self, kind: Any, *, may_be_null: bool = True) -> str:
        if is_non_null_type(kind):
            return self._literal(kind.of_type, may_be_null=False)
        if may_be_null and self._once_in(6):
            return "null"
        if is_list_type(kind):
            if self._once_in(5) and not is_list_type(kind.of_type):
                return self._literal(kind.of_type, may_be_null=False)
            return "[" + ", ".join(self._value(kind.of_type) for _ in range(self._random.randint(0, 2))) + "]"
        if isinstance(kind, GraphQLEnumType):
            return str(self._any_of(sorted(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            fields = {name: field for name, field in kind.fields.items() if self._takes(field)}
            return (
                "{"
                + ", ".join(
                    f"{name}: {self._value(field.type, defaulted=field.default_value is not Undefined)}"
                    for name, field in fields.items()
                )
                + "}"
            )
        return _written(self._json(kind))

    def _takes(self, field: Any) -> bool:
        return is_required_input_field(field) or self._once_in(2)

    def _json(self, kind: Any) -> Any:
        if is_non_null_type(kind):
            return self._json(kind.of_type)
        if is_list_type(kind):
            items = [self._json_or_null(kind.of_type) for _ in range(self._random.randint(0, 2))]
            return items[0] if len(items) == 1 and not isinstance(items[0], list | None) and self._once_in(3) else items
        if isinstance(kind, GraphQLEnumType):
            return self._any_of(sorted(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return {name: self._json_or_null(field.type) for name, field in kind.fields.items() if self._takes(field)}
        return self._any_of(SCALARS.get(kind.name, self._words))

    def _json_or_null(self, kind: Any) -> Any:
        return None if not is_non_null_type(kind) and self._once_in(6) else self._json(kind)


def _written(value: Any) -> str:
    """A JSON value as GraphQL writes it: keys without quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)
