"""The kinds of field: a column of the parent's row, or a function of all parents, of one, or of the root."""

import inspect
import typing
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from operator import attrgetter
from typing import Any

from graphql import GraphQLResolveInfo
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.info import Info
from strawberry_django.fields.field import StrawberryDjangoField

from schema.engine.loader import BatchFunction, BatchKey

Resolve = Callable[..., Any]


class ColumnField(StrawberryDjangoField):
    """A model's column, read as a plain attribute: no hook, no thread, no query."""

    @property
    def is_basic_field(self) -> bool:
        return not self.arguments and not self.base_resolver and not self.extensions

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        if self.base_resolver is not None:
            return super().get_result(source, info, args, kwargs)
        return getattr(source, self.attribute)

    @cached_property
    def attribute(self) -> str:
        return self.django_name or self.python_name


class BatchedField(StrawberryField):
    """A field made by `@batched`; `key` is its call without arguments."""

    batch: BatchFunction
    takes_context: bool
    pure: bool

    @cached_property
    def key(self) -> BatchKey:
        return BatchKey(self.batch_name, self.batch, self.takes_context, {})

    @property
    def batch_name(self) -> str:
        return f"{self.batch.__module__}.{self.batch.__qualname__}"

    def __copy__(self) -> "BatchedField":
        copied: BatchedField = super().__copy__()
        copied.batch, copied.takes_context, copied.pure = self.batch, self.takes_context, self.pure
        return copied


class ComputedField(StrawberryField):
    """A field made by `@computed`: a pure function of one parent (and the context)."""

    compute: Callable[..., Any]
    takes_context: bool

    def __copy__(self) -> "ComputedField":
        copied: ComputedField = super().__copy__()
        copied.compute, copied.takes_context = self.compute, self.takes_context
        return copied


def batched(
    function: BatchFunction | None = None,
    *,
    description: str | None = None,
    name: str | None = None,
    permission_classes: Sequence[type[BasePermission]] = (),
    extensions: Sequence[FieldExtension] = (),
    deprecation_reason: str | None = None,
    cost: int = 1,
    pure: bool = False,
) -> Any:
    """Make a field of a sync function `(parents, ctx, *, arguments) -> answers`, one answer a parent, in order.

    The outer `list[...]` of the return annotation is the batch; what is inside is the field's GraphQL type. `ctx`
    may be left out; keyword-only parameters are the field's GraphQL arguments. A `pure` one does no I/O and needs no
    thread: it is a `@computed` for all parents at once.
    """

    def decorate(batch: BatchFunction) -> Any:
        signature = inspect.signature(batch)
        field = BatchedField(
            graphql_name=name,
            description=description,
            permission_classes=list(permission_classes),
            extensions=list(extensions),
            deprecation_reason=deprecation_reason,
            metadata={"cost": cost},
        )
        answer = answers_of(signature.return_annotation)
        field.pure = pure
        return _finish(field, batch, signature, answer, takes_context=_takes_context(signature))

    return decorate if function is None else decorate(function)


def _finish(field: BatchedField, batch: BatchFunction, signature: Any, answer: Any, *, takes_context: bool) -> Any:
    """The batched field with the resolver that Strawberry calls."""
    field.batch, field.takes_context = batch, takes_context

    def resolver(self: Any, info: Info, **kwargs: Any) -> Any:
        key = field.key if not kwargs else BatchKey(field.batch_name, batch, takes_context, kwargs)
        return key.run([self], info.context)[0] if field.pure else info.context.batches.load(key, self)

    return field(_stub(resolver, batch, signature, answer))


def root_query(
    function: Callable[..., Any] | None = None,
    *,
    description: str | None = None,
    name: str | None = None,
    permission_classes: Sequence[type[BasePermission]] = (),
    extensions: Sequence[FieldExtension] = (),
    deprecation_reason: str | None = None,
    cost: int = 1,
) -> Any:
    """Make a field of `Query` of a sync function `(ctx, *, arguments) -> answer`, which may do I/O.

    It is a batched field whose only parent is the root: root fields of one operation share a hop to a database thread.
    `ctx` may be left out; keyword-only parameters are the field's GraphQL arguments.
    """

    def decorate(read: Callable[..., Any]) -> Any:
        signature = inspect.signature(read)
        field = BatchedField(
            graphql_name=name,
            description=description,
            permission_classes=list(permission_classes),
            extensions=list(extensions),
            deprecation_reason=deprecation_reason,
            metadata={"cost": cost},
        )
        takes_context = any(each.kind is each.POSITIONAL_OR_KEYWORD for each in signature.parameters.values())

        @wraps(read)
        def batch(roots: list[Any], ctx: Any, **arguments: Any) -> list[Any]:
            answer = read(ctx, **arguments) if takes_context else read(**arguments)
            return [answer] * len(roots)

        field.pure = False
        return _finish(field, batch, signature, signature.return_annotation, takes_context=True)

    return decorate if function is None else decorate(function)


def computed(
    function: Callable[..., Any] | None = None,
    *,
    description: str | None = None,
    name: str | None = None,
    extensions: Sequence[FieldExtension] = (),
) -> Any:
    """Make a field of a pure sync function `(parent)` or `(parent, ctx)`: no I/O.

    Keyword-only parameters are the field's GraphQL arguments.
    """

    def decorate(compute: Callable[..., Any]) -> Any:
        signature = inspect.signature(compute)
        field = ComputedField(graphql_name=name, description=description, extensions=list(extensions))
        field.compute = compute
        field.takes_context = _takes_context(signature)

        def resolver(self: Any, info: Info, **kwargs: Any) -> Any:
            return compute(self, info.context, **kwargs) if field.takes_context else compute(self, **kwargs)

        return field(_stub(resolver, compute, signature, signature.return_annotation))

    return decorate if function is None else decorate(function)


def answers_of(annotation: Any) -> Any:
    """The type of one answer, of the annotation of all: `list[int]` -> `int`, also in strings."""
    if isinstance(annotation, str):
        text = annotation.strip()
        if text.startswith("list[") and text.endswith("]"):
            return text[len("list[") : -1]
    elif typing.get_origin(annotation) is list:
        return typing.get_args(annotation)[0]
    raise TypeError(f"A batched function returns a list of answers, not {annotation!r}.")


def _takes_context(signature: inspect.Signature) -> bool:
    positional = [each for each in signature.parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
    return len(positional) == 2


def _stub(resolver: Any, original: Any, signature: inspect.Signature, returns: Any) -> StrawberryResolver[Any]:
    """The resolver as Strawberry wants to see it: one parent, the original's arguments and inner type."""
    arguments = [each for each in signature.parameters.values() if each.kind is each.KEYWORD_ONLY]
    fixed = [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
    ]
    resolver.__signature__ = signature.replace(parameters=[*fixed, *arguments], return_annotation=returns)
    resolver.__annotations__ = {
        "info": Info,
        **{each.name: each.annotation for each in arguments},
        "return": returns,
    }
    resolver.__module__ = original.__module__
    resolver.__name__ = original.__name__
    resolver.__qualname__ = original.__qualname__
    resolver.__doc__ = original.__doc__
    return StrawberryResolver(resolver)


# The resolvers that graphql-core calls ----------------------------------------------------------


def fast_resolver(field: StrawberryField, registry: Any, config: Any) -> Resolve | None:
    """The cheapest resolver that does what Strawberry's would; None where only Strawberry's own will do."""
    if field.extensions:
        return None
    if isinstance(field, BatchedField):
        return _batched_with_arguments(field, registry, config) if field.arguments else _batched_plain(field)
    if isinstance(field, ComputedField):
        return _computed_with_arguments(field, registry, config) if field.arguments else _computed(field)
    if field.is_basic_field:
        return _column(field)
    return None


def _column(field: StrawberryField) -> Resolve:
    get = attrgetter(field.attribute if isinstance(field, ColumnField) else field.python_name)

    def resolve(source: Any, _info: GraphQLResolveInfo[Any]) -> Any:
        return get(source)

    return resolve


def _computed(field: ComputedField) -> Resolve:
    compute = field.compute
    if not field.takes_context:
        return lambda source, _info: compute(source)
    return lambda source, info: compute(source, info.context)


def _batched_plain(field: BatchedField) -> Resolve:
    key = field.key
    if field.pure:
        return lambda source, info: key.run([source], info.context)[0]

    def resolve(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return info.context.batches.load(key, source)

    return resolve


def _batched_with_arguments(field: BatchedField, registry: Any, config: Any) -> Resolve:
    def make(converted: dict[str, Any]) -> BatchKey:
        return BatchKey(field.batch_name, field.batch, field.takes_context, converted)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **kwargs: Any) -> Any:
        key = _once_per_selection(
            field, info, lambda: make(convert_arguments(kwargs, field.arguments, registry, config))
        )
        return key.run([source], info.context)[0] if field.pure else info.context.batches.load(key, source)

    return resolve


def _computed_with_arguments(field: ComputedField, registry: Any, config: Any) -> Resolve:
    compute = field.compute

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **kwargs: Any) -> Any:
        converted = _once_per_selection(
            field, info, lambda: convert_arguments(kwargs, field.arguments, registry, config)
        )
        return compute(source, info.context, **converted) if field.takes_context else compute(source, **converted)

    return resolve


def _once_per_selection(field: StrawberryField, info: GraphQLResolveInfo[Any], make: Callable[[], Any]) -> Any:
    """What `make` returned for the first parent of this selection.

    Every parent of a selection comes with the same node of the document, and so with the same arguments. In a fragment
    on an interface, one node stands for a field of each type.
    """
    node = info.field_nodes[0]
    keys = info.context.batches.keys
    known = keys.get((id(node), id(field)))
    if known is None:
        known = keys[id(node), id(field)] = (node, make())
    return known[1]
