"""From a validated document to plans, once for each selection and set of flags."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from inspect import iscoroutinefunction
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    Node,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.engine.fields import BatchedField, ColumnField, ComputedField
from schema.engine.plan import (
    AbstractOf,
    Arguments,
    Batched,
    Column,
    Completer,
    Computed,
    Constant,
    Enumeration,
    Guarded,
    Int,
    Leaf,
    ListOf,
    NonNull,
    ObjectOf,
    Place,
    Run,
    Selection,
    Step,
)

FLAGS = ("skip", "include")
PLANS_OF_A_SELECTION = 16
"""So many sets of flags are remembered: a client may send more of them than there is memory."""
MAX_STEPS = 5000
"""A selection with more fields than that, counted for every type that an interface's field may have, has no plan."""
SENT_AS_THEY_ARE: dict[str, frozenset[type]] = {
    "String": frozenset({str}),
    "ID": frozenset({str}),
    "Boolean": frozenset({bool}),
}


class Unsupported(Exception):
    """A selection that graphql-core has to run; the text says why."""


Complete = Callable[[list[Any], Run], list[Any]]


class Plan:
    """How to complete a root field's value, or the root. `blocking` tells whether that may wait for a database."""

    def __init__(self, complete: Complete, *, blocking: bool) -> None:
        self.complete = complete
        self.blocking = blocking


class Plans:
    """The plans of a schema, at most `steps_kept` steps in all (each is about a kilobyte); the least used make room.

    A selection's nodes are kept with its plans, so that their ids stay theirs.
    """

    def __init__(self, schema: GraphQLSchema, registry: Any, config: Any, steps_kept: int) -> None:
        self._schema = schema
        self._registry = registry
        self._config = config
        self._selections: OrderedDict[tuple[int, ...], _Planned] = OrderedDict()
        self.steps_kept = steps_kept
        self.steps = 0
        self.compiled = 0

    def find(self, operation: "Operation", returns: GraphQLType, details: list[FieldDetails]) -> Plan | Unsupported:
        """The plan of a root field, compiled if need be; or why there is none."""
        # A fragment's field may be the root field of a query and of a mutation, which return different types.
        key = id(returns), *(id(each.node) for each in details)

        def build(compiler: _Compiler) -> Complete:
            compiler.check(details)
            return compiler.completer(returns, details).complete

        return self._plan(key, [each.node for each in details], operation, build)

    def find_whole(self, operation: "Operation", root: GraphQLObjectType) -> Plan | Unsupported:
        """The plan of a query with all its root fields; its only value is the root's."""
        node = operation.node
        return self._plan((id(node),), [node], operation, lambda compiler: compiler.root_selection(root).run)

    def _plan(
        self, key: tuple[int, ...], nodes: list[Any], operation: "Operation", build: Callable[["_Compiler"], Complete]
    ) -> Plan | Unsupported:
        planned = self._selections.get(key)
        if planned is None:
            planned = self._selections[key] = _Planned(nodes, operation.fragments)
            self.steps += planned.weight
        else:
            try:
                self._selections.move_to_end(key)
            except KeyError:  # another thread has just made room
                self._selections[key] = planned
        flags = tuple(operation.variables.coerced.get(name) for name in planned.flags)
        plan = planned.by_flags.get(flags)
        if plan is None:
            plan, steps = self._compile(operation, build)
            self.steps += planned.keep(flags, plan, steps)
            self._make_room()
        return plan

    def _make_room(self) -> None:
        while self.steps > self.steps_kept and len(self._selections) > 1:
            try:
                _, planned = self._selections.popitem(last=False)
            except KeyError:  # another thread makes room too
                return
            self.steps -= planned.weight

    def _compile(
        self, operation: "Operation", build: Callable[["_Compiler"], Complete]
    ) -> tuple[Plan | Unsupported, int]:
        """The plan, or why there is none, and how many steps it has."""
        compiler = _Compiler(self._schema, operation, self._registry, self._config)
        try:
            complete = build(compiler)
        except Unsupported as reason:
            return reason, 1
        except Exception as error:  # noqa: BLE001 - graphql-core meets it too, and tells it in its place
            return Unsupported(type(error).__name__), 1
        self.compiled += 1
        return Plan(complete, blocking=compiler.blocking), compiler.steps


class Operation:
    """What compiling needs of an operation that is about to run."""

    __slots__ = ("fragments", "node", "variables")

    def __init__(self, node: Any, fragments: dict[str, FragmentDetails], variables: VariableValues) -> None:
        self.node = node
        self.fragments = fragments
        self.variables = variables


class _Planned:
    def __init__(self, nodes: list[Any], fragments: dict[str, FragmentDetails]) -> None:
        self.nodes = nodes  # kept, so that no other node gets the ids that this is found by
        self.flags = _flag_variables(self.nodes, fragments)
        self.by_flags: dict[tuple[Any, ...], Plan | Unsupported] = {}
        # The nodes keep their document, which weighs about as much as a step for each hundred characters.
        source = self.nodes[0].loc.source.body if self.nodes[0].loc else ""
        self._own_weight = 1 + len(source) // 100
        self.weight = self._own_weight

    def keep(self, flags: tuple[Any, ...], plan: Plan | Unsupported, steps: int) -> int:
        """Remember a plan; returns how much heavier that makes this selection."""
        before = self.weight
        if len(self.by_flags) >= PLANS_OF_A_SELECTION:
            self.by_flags.clear()
            self.weight = self._own_weight
        self.by_flags[flags] = plan
        self.weight += steps
        return self.weight - before


def _flag_variables(nodes: Iterable[FieldNode], fragments: dict[str, FragmentDetails]) -> list[str]:
    """The variables that `@skip`, `@include` and `@defer` below these fields depend on: what makes plans differ."""
    found: dict[str, None] = {}
    seen: set[str] = set()

    def look(selections: SelectionSetNode | None) -> None:
        for selection in selections.selections if selections else ():
            for directive in selection.directives or ():
                if directive.name.value in (*FLAGS, "defer"):
                    found.update(dict.fromkeys(_variables(directive.arguments or ())))
            if not isinstance(selection, FragmentSpreadNode):
                look(selection.selection_set)  # type: ignore[attr-defined]
            elif selection.name.value not in seen and selection.name.value in fragments:
                seen.add(selection.name.value)
                look(fragments[selection.name.value].definition.selection_set)

    for node in nodes:
        look(node.selection_set)
    return list(found)


def _variables(nodes: Iterable[Any]) -> list[str]:
    """The names of all variables in some arguments, also in lists and input objects."""
    names: list[str] = []
    for node in nodes:
        value = getattr(node, "value", None)
        if isinstance(node, VariableNode):
            names.append(node.name.value)
        elif isinstance(value, Node):
            names += _variables([value])
        names += _variables(getattr(node, "values", None) or ())
        names += _variables(getattr(node, "fields", None) or ())
    return names


class _Compiler:
    def __init__(self, schema: GraphQLSchema, operation: Operation, registry: Any, config: Any) -> None:
        self._schema = schema
        self._operation = operation
        self._registry = registry
        self._config = config
        self._selections: dict[tuple[int, ...], Selection] = {}
        self.blocking = False
        self.steps = 0

    def completer(self, returns: Any, details: list[FieldDetails], place: Place | None = None) -> Completer:
        """What completes values of this type. `place` is the field that they are of, but for root fields."""
        if is_non_null_type(returns):
            if is_leaf_type(returns.of_type):
                return _leaf(returns.of_type, required=True)
            return NonNull(self.completer(returns.of_type, details, place))
        if is_list_type(returns):
            return ListOf(self.completer(returns.of_type, details, place))
        if is_leaf_type(returns):
            return _leaf(returns, required=False)
        if is_object_type(returns):
            return ObjectOf(self._selection(returns, details))
        if is_abstract_type(returns) and returns.resolve_type is not None:
            possible = self._schema.get_possible_types(returns)
            selections = {each.name: self._selection(each, details) for each in possible}
            return AbstractOf(returns.resolve_type, returns, selections, place)
        raise Unsupported(f"type {returns}")

    def _selection(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        """Once for each type and fields: interfaces in interfaces would be compiled for each path of types."""
        key = id(object_type), *(id(each.node) for each in details)
        known = self._selections.get(key)
        if known is None:
            known = self._selections[key] = self._compile_selection(object_type, details)
        return known

    def _compile_selection(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        if object_type.is_type_of is not None:
            raise Unsupported("is_type_of")
        operation = self._operation
        collected = collect_subfields(
            self._schema, operation.fragments, operation.variables, operation.node, object_type, details
        )
        return self._steps(object_type, collected)

    def _steps(self, object_type: GraphQLObjectType, collected: CollectedFields) -> Selection:
        if collected.new_defer_usages:
            raise Unsupported("@defer")
        steps = {key: self._step(object_type, same) for key, same in collected.grouped_field_set.items()}
        return Selection(list(steps), list(steps.values()))

    def root_selection(self, root: GraphQLObjectType) -> Selection:
        operation = self._operation
        collected = collect_fields(self._schema, operation.fragments, operation.variables, root, operation.node)
        return self._steps(root, collected)

    def check(self, details: list[FieldDetails]) -> None:
        for each in details:
            if each.defer_usage is not None or each.fragment_variable_values is not None:
                raise Unsupported("@defer or fragment variables")
            if any(directive.name.value not in FLAGS for directive in each.node.directives or ()):
                raise Unsupported("a directive on a field")

    def _step(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Step:
        self.check(details)
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Unsupported("too many fields")
        node = details[0].node
        if node.name.value == "__typename":
            return Constant(object_type.name)
        definition = object_type.fields.get(node.name.value)
        if definition is None:
            raise Unsupported("an unknown field")
        field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        place = Place(node.name.value, [each.node for each in details], definition.type, object_type)
        return self._field(field, definition, details, place)

    def _field(
        self, field: StrawberryField | None, definition: GraphQLField, details: list[FieldDetails], place: Place
    ) -> Step:
        if field is None:
            raise Unsupported("a field that is not Strawberry's")
        permissions = _permissions(field)
        arguments = self._arguments(field, definition, details[0].node)
        make = self._maker(field, arguments)  # before what is below: that may be much
        step = make(self.completer(definition.type, details, place))
        if not permissions:
            return step
        # Permissions are given Strawberry's Info, which knows the field.
        make_info = partial(self._config.info_class, _field=field)
        return Guarded(permissions, place, make_info, arguments, step)

    def _maker(self, field: StrawberryField, arguments: Arguments | None) -> Callable[[Completer], Step]:
        if isinstance(field, BatchedField):
            self.blocking = self.blocking or not field.pure
            return partial(Batched, field.batch_name, field.batch, field.takes_context, arguments)
        if isinstance(field, ComputedField):
            if iscoroutinefunction(field.compute):
                raise Unsupported("an async computed field")
            return partial(Computed, field.compute, field.takes_context, arguments)
        if field.base_resolver is None and arguments is None:
            name = field.attribute if isinstance(field, ColumnField) else field.python_name
            return partial(Column, attrgetter(name))
        raise Unsupported("a resolver of its own")

    def _arguments(self, field: StrawberryField, definition: GraphQLField, node: FieldNode) -> Arguments | None:
        if not definition.args and not node.arguments:
            return None

        def coerce(variables: Any) -> dict[str, Any]:
            values = get_argument_values(definition, node, variables)
            return convert_arguments(values, field.arguments, self._registry, self._config)

        constant = not _variables(node.arguments or ())
        pure = isinstance(field, ComputedField) or (isinstance(field, BatchedField) and field.pure)
        return Arguments(coerce, constant=constant, pure=pure, variables=self._operation.variables)


def _leaf(returns: Any, *, required: bool) -> Completer:
    coerce = returns.coerce_output_value
    if is_enum_type(returns):
        return Enumeration(coerce, required=required)
    if returns.name == "Int":
        return Int(coerce, required=required)
    return Leaf(coerce, SENT_AS_THEY_ARE.get(returns.name, frozenset()), required=required)


def _permissions(field: StrawberryField) -> list[BasePermission]:
    """What must be allowed before the field is read. Other extensions have no place in a plan."""
    permissions: list[BasePermission] = []
    for extension in field.extensions:
        if not isinstance(extension, PermissionExtension):
            raise Unsupported("an extension of a field")
        permissions += extension.permissions
    if any(iscoroutinefunction(each.has_permission) for each in permissions):
        raise Unsupported("an async permission")
    return permissions


def selects_fields(returns: GraphQLType) -> bool:
    """Whether values of this type have something below them to complete."""
    return is_composite_type(get_named_type(returns))
