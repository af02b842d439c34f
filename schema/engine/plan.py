"""A plan: what an operation's root field selects, to be completed level by level over lists.

Every step takes all values of its level and returns as many answers, in order. Whatever is unusual (an exception, a
null where none may be, a value that is not what its type says) raises, and graphql-core completes the same value.
"""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from graphql import Undefined
from strawberry.permission import BasePermission

from schema.engine.loader import BatchFunction, BatchKey

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
UNCHANGING = (str, int, float, NoneType, Enum, Decimal, UUID, date, time, timedelta)
UNDEFINED = type(Undefined)
STOPPED = "StopIteration"
"""`map` takes a StopIteration of its function for the end of the sources."""
NULL_IN_PLACE = "a null where none may be"
SHARED_KEYS = 500
"""Characters of the keys of a selection whose objects share their code with other selections of these keys."""
Objects = Callable[[list[list[Any]]], list[dict[str, Any]]]


class Unusual(Exception):
    """Something that graphql-core must answer; the text says what."""


class Run:
    """What the steps of one attempt share. Once `cancelled`, nobody waits for it: it ends before its next batch."""

    __slots__ = ("cancelled", "context", "info", "variables")

    def __init__(self, context: Any, variables: Any, info: Any) -> None:
        self.context = context
        self.variables = variables
        self.info = info
        self.cancelled = False


class Place(NamedTuple):
    """A field as `resolve_type` is told of it: graphql-core's names, less the path."""

    field_name: str
    field_nodes: list[Any]
    return_type: Any
    parent_type: Any


class PlaceInfo:
    """The GraphQLResolveInfo of a field that a plan completes: its place, and what all fields share."""

    def __init__(self, root: Any, place: Place) -> None:
        self._root = root
        self.field_name, self.field_nodes, self.return_type, self.parent_type = place

    def __getattr__(self, name: str) -> Any:
        if name == "path":
            raise Unusual("a type or permission that depends on the path")
        value = self.__dict__[name] = getattr(self._root, name)
        return value


class Completer(Protocol):
    """Turns values of one type into what is sent: the specification's CompleteValue, over a list."""

    def complete(self, values: list[Any], run: Run) -> list[Any]: ...


class Step(Protocol):
    """One selected field of all objects of a level."""

    def run(self, sources: list[Any], run: Run) -> list[Any]: ...


class Selection:
    """The fields selected on one object type."""

    def __init__(self, keys: Sequence[str], steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._objects = _objects_of(tuple(keys))

    def run(self, sources: list[Any], run: Run) -> list[dict[str, Any]]:
        if not sources:
            return []
        if not self._steps:
            return [{} for _ in sources]
        return self._objects([step.run(sources, run) for step in self._steps])


def _objects_of(keys: tuple[str, ...]) -> Objects:
    """From columns to objects. A display of its own for each set of keys is twice as fast as `dict(zip(keys, row))`."""
    # What clients make up is long or many: it lives as long as its plan, whose size is counted.
    return _compile_objects.__wrapped__(keys) if sum(map(len, keys)) > SHARED_KEYS else _compile_objects(keys)


@lru_cache(maxsize=1000)
def _compile_objects(keys: tuple[str, ...]) -> Objects:
    if not keys:
        return lambda columns: []
    values = [f"v{number}" for number in range(len(keys))]
    pairs = ", ".join(f"{key!r}: {value}" for key, value in zip(keys, values, strict=True))
    source = f"lambda columns: [{{{pairs}}} for {', '.join(values)}, in zip(*columns, strict=True)]"
    make: Objects = eval(source, {"zip": zip})  # noqa: S307 - GraphQL names
    return make


# Steps -------------------------------------------------------------------------------------------


class Constant:
    """`__typename`."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def run(self, sources: list[Any], run: Run) -> list[Any]:
        return [self._value] * len(sources)


class Column:
    def __init__(self, get: Callable[[Any], Any], completer: Completer) -> None:
        self._get = get
        self._completer = completer

    def run(self, sources: list[Any], run: Run) -> list[Any]:
        values = list(map(self._get, sources))
        if len(values) != len(sources):
            raise Unusual(STOPPED)
        return self._completer.complete(values, run)


class Arguments:
    """A field's arguments: coerced once a run, or once for all where no variable is in them.

    Lists and input objects are made anew for each run, but for `pure` functions: others may change what they are given.
    """

    def __init__(self, coerce: Callable[[Any], dict[str, Any]], *, constant: bool, pure: bool, variables: Any) -> None:
        self._coerce = coerce
        known = coerce(variables) if constant else None
        shareable = known is not None and (pure or all(isinstance(value, UNCHANGING) for value in known.values()))
        self._known = known if shareable else None

    def of(self, run: Run) -> dict[str, Any]:
        return self._coerce(run.variables) if self._known is None else self._known


class Computed:
    def __init__(
        self, compute: Callable[..., Any], takes_context: bool, arguments: Arguments | None, completer: Completer
    ) -> None:
        self._compute = compute
        self._takes_context = takes_context
        self._arguments = arguments
        self._completer = completer

    def run(self, sources: list[Any], run: Run) -> list[Any]:
        compute = self._compute
        given = [run.context] if self._takes_context else []
        if self._arguments is None:
            values = [compute(source, *given) for source in sources] if given else _call_each(compute, sources)
        else:
            named = self._arguments.of(run)
            values = [compute(source, *given, **named) for source in sources]
        return self._completer.complete(values, run)


class Batched:
    def __init__(
        self,
        name: str,
        function: BatchFunction,
        takes_context: bool,
        arguments: Arguments | None,
        completer: Completer,
    ) -> None:
        self._call = name, function, takes_context
        self._key = BatchKey(name, function, takes_context, {})
        self._arguments = arguments
        self._completer = completer

    def run(self, sources: list[Any], run: Run) -> list[Any]:
        if run.cancelled:
            raise Unusual("cancelled")
        key = self._key if self._arguments is None else BatchKey(*self._call, self._arguments.of(run))
        # The list is the function's own: the other fields of this level go on with ours.
        return self._completer.complete(key.run(list(sources), run.context), run)


class Guarded:
    """A field with permissions: what is refused is told by graphql-core."""

    def __init__(
        self,
        permissions: Sequence[BasePermission],
        place: Place,
        make_info: Callable[[Any], Any],
        arguments: Arguments | None,
        step: Step,
    ) -> None:
        self._permissions = permissions
        self._place = place
        self._make_info = make_info
        self._arguments = arguments
        self._step = step

    def run(self, sources: list[Any], run: Run) -> list[Any]:
        info = self._make_info(PlaceInfo(run.info, self._place))
        arguments = {} if self._arguments is None else self._arguments.of(run)
        for permission in self._permissions:
            if not all(permission.has_permission(source, info, **arguments) is True for source in sources):
                raise Unusual("a permission that is not given")
        return self._step.run(sources, run)


def _call_each(function: Callable[[Any], Any], sources: list[Any]) -> list[Any]:
    values = list(map(function, sources))
    if len(values) != len(sources):
        raise Unusual(STOPPED)
    return values


# Completers --------------------------------------------------------------------------------------


class Leaf:
    """Scalars. Values whose exact type is in `as_is` are sent as they are."""

    def __init__(
        self, coerce: Callable[[Any], Any], as_is: frozenset[type] = frozenset(), *, required: bool = False
    ) -> None:
        self._coerce = coerce
        self._as_is = as_is if required else as_is | {NoneType}
        self._required = required

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        kinds = set(map(type, values))
        if kinds <= self._as_is:
            return values
        if self._required and NoneType in kinds:
            raise Unusual(NULL_IN_PLACE)
        _refuse_odd(kinds)
        done = self._coerce_each(values)
        became = set(map(type, done))
        if UNDEFINED in became or (
            NoneType in became
            and any(after is None and before is not None for before, after in zip(values, done, strict=True))
        ):
            raise Unusual("a leaf became null")
        return done

    def _coerce_each(self, values: list[Any]) -> list[Any]:
        coerce = self._coerce
        return [None if value is None else coerce(value) for value in values]


class Int(Leaf):
    """GraphQL's Int: 32 bits."""

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        numbers = values if self._required else [value for value in values if value is not None]
        if set(map(type, numbers)) <= {int} and (not numbers or (min(numbers) >= INT_MIN and max(numbers) <= INT_MAX)):
            return values
        return super().complete(values, run)


class Enumeration(Leaf):
    """Enums: few values, many times."""

    def _coerce_each(self, values: list[Any]) -> list[Any]:
        try:
            distinct = set(values)
        except TypeError:
            return super()._coerce_each(values)
        names = {value: None if value is None else self._coerce(value) for value in distinct}
        return list(map(names.__getitem__, values))


class NonNull:
    """What is not a leaf, and never null."""

    def __init__(self, inner: Completer) -> None:
        self._inner = inner

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        if NoneType in set(map(type, values)):
            raise Unusual(NULL_IN_PLACE)
        return self._inner.complete(values, run)


class ListOf:
    def __init__(self, inner: Completer) -> None:
        self._inner = inner

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        kinds = set(map(type, values))
        if not kinds <= {list, tuple, NoneType}:
            raise Unusual("a list that is none")
        lists = values if NoneType not in kinds else [value for value in values if value is not None]
        done = self._inner.complete(list(chain.from_iterable(lists)), run)
        answers: list[Any] = []
        start = 0
        for value in values:
            if value is None:
                answers.append(None)
            else:
                end = start + len(value)
                answers.append(done[start:end])
                start = end
        return answers


class ObjectOf:
    """Objects of one type. The same object twice on a level is completed once."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        _refuse_odd(set(map(type, values)))
        return _once_each(values, lambda distinct: self._selection.run(distinct, run))


class AbstractOf:
    """Objects of an interface or union: one selection for each type that they can be."""

    def __init__(
        self,
        resolve_type: Callable[..., Any],
        graphql_type: Any,
        selections: dict[str, Selection],
        place: Place | None,
    ) -> None:
        self._resolve_type = resolve_type
        self._type = graphql_type
        self._selections = selections
        self._place = place

    def complete(self, values: list[Any], run: Run) -> list[Any]:
        _refuse_odd(set(map(type, values)))
        return _once_each(values, lambda distinct: self._by_type(distinct, run))

    def _by_type(self, values: list[Any], run: Run) -> list[Any]:
        info = run.info if self._place is None else PlaceInfo(run.info, self._place)
        positions: dict[str, list[int]] = {}
        for position, value in enumerate(values):
            name = self._resolve_type(value, info, self._type)
            if name not in self._selections:
                raise Unusual("an object of no possible type")
            positions.setdefault(name, []).append(position)
        answers: list[Any] = [None] * len(values)
        for name, places in positions.items():
            done = self._selections[name].run([values[place] for place in places], run)
            for place, answer in zip(places, done, strict=True):
                answers[place] = answer
        return answers


def _once_each(values: list[Any], complete: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Complete each object of a level once, by identity; nulls stay."""
    if len(values) == 1:
        return complete(values) if values[0] is not None else [None]
    keys = list(map(id, values))
    known = set(keys)
    if len(known) == len(keys) and id(None) not in known:
        return complete(values)
    distinct = dict(zip(keys, values, strict=True))
    distinct.pop(id(None), None)
    done = dict(zip(distinct, complete(list(distinct.values())), strict=True))
    return list(map(done.get, keys))


def _refuse_odd(kinds: set[type]) -> None:
    """Exceptions are raised, awaitables awaited and `Undefined` is null: by graphql-core."""
    for kind in kinds:
        if _is_odd(kind):
            raise Unusual(f"a {kind.__name__} in place of a value")


@lru_cache(maxsize=1000)
def _is_odd(kind: type) -> bool:
    return issubclass(kind, Exception) or kind is UNDEFINED or hasattr(kind, "__await__")
