"""A Strawberry schema whose columns, computed and batched fields skip Strawberry's per-field machinery."""

from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLDirective, GraphQLEnumType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.engine.compile import Plans
from schema.engine.executor import EXTENSION, Engine, EngineExecutor
from schema.engine.fields import fast_resolver


class EngineSchema(strawberry.Schema):
    """Pass `operation_directives` for directives on operations: Strawberry's own would wrap every field.

    With `breadth_first=False`, graphql-core runs everything.
    """

    def __init__(
        self,
        *args: Any,
        operation_directives: list[Any] | None = None,
        breadth_first: bool = True,
        steps_kept: int = 50_000,
        **kwargs: Any,
    ) -> None:
        self._operation_directives = operation_directives or []
        super().__init__(*args, execution_context_class=EngineExecutor, **kwargs)
        if breadth_first:
            plans = Plans(self._schema, self.schema_converter.scalar_registry, self.config, steps_kept)
            self._schema.extensions[EXTENSION] = Engine(plans)
        for named in self._schema.type_map.values():
            if isinstance(named, GraphQLObjectType) and not named.name.startswith("__"):
                self._speed_up_object(named)
            elif isinstance(named, GraphQLEnumType) and not named.name.startswith("__"):
                _speed_up_enum(named)

    @property
    def engine(self) -> Engine | None:
        """Counts of what was run breadth first, and of what was not; None where that is off."""
        return self._schema.extensions.get(EXTENSION)

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Logging is the server's: each error once, under the id that the client is told."""

    def _collect_graphql_directives(self, schema_directive_types: Any) -> tuple[GraphQLDirective, ...]:
        collected = super()._collect_graphql_directives(schema_directive_types)
        return (*collected, *(make(self.schema_converter) for make in self._operation_directives))

    def _speed_up_object(self, named: GraphQLObjectType) -> None:
        # Which type an object has is decided by interfaces' and unions' `resolve_type`; checking each
        # object against its type again costs a call per object and finds nothing.
        named.is_type_of = None
        for field in named.fields.values():
            definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if definition is None or field.subscribe is not None:
                continue
            fast = fast_resolver(definition, self.schema_converter.scalar_registry, self.config)
            if fast is not None:
                field.resolve = fast


def _speed_up_enum(named: GraphQLEnumType) -> None:
    """Serialize members and their values by one lookup; Strawberry compares with each value in turn."""
    names: dict[Any, str] = {}
    for name, value in named.values.items():
        member = value.value
        names[member] = name
        if isinstance(member, Enum):
            names[member.value] = name
    wrapped = getattr(named, "wrapped_cls", None)
    if wrapped is not None:
        names.update({member: names[member.value] for member in wrapped if member.value in names})
    original = named.coerce_output_value

    def coerce_output_value(output: Any) -> str:
        try:
            return names[output]
        except (KeyError, TypeError):
            return original(output)

    named.coerce_output_value = coerce_output_value  # type: ignore[method-assign, assignment]
    named.serialize = coerce_output_value  # type: ignore[method-assign, assignment]
