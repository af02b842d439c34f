"""Relay's object identification: `node(id:)` finds anything that has an id and that the caller may see."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import strawberry
from django.db.models import Model

from backend.core.errors import Invalid
from schema.engine import batched, root_query
from schema.server.context import Context
from schema.server.ids import IdNotFound, encode, parse

MAX_IDS = 100
Loader = Callable[[Context, list[str]], dict[str, Any]]
Found = TypeVar("Found")
_loaders: dict[str, Loader] = {}


class _Names(dict[type, str]):
    """GraphQL's names of models; a row without its model has that of its model."""

    def __missing__(self, kind: type) -> str:
        name = self[kind] = self[kind.model]  # type: ignore[attr-defined]
        return name


_names = _Names()


@strawberry.interface(description="Anything with a global id.")
class Node:
    @batched(pure=True, description="The global id: opaque, stable, unique over all types.")
    def id(nodes: list[Any]) -> list[strawberry.ID]:
        return [encode(_names[type(node)], node.pk) for node in nodes]  # type: ignore[misc]

    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str:
        return _names[type(value)]


def register(type_name: str, model: type, loader: Loader | None = None) -> None:
    """Tell which GraphQL type a model (or a view of one) is, and how to find some by their keys.

    The loader takes the context and keys (texts from ids) and returns what the caller may see, by key.
    """
    _names[model] = type_name
    if loader is not None:
        _loaders[type_name] = loader


def global_id(row: Model) -> str:
    return encode(_names[type(row)], row.pk)


def load_nodes(context: Context, global_ids: Sequence[str]) -> list[Any]:
    """What the ids name, in order; None for what is malformed, missing or not the caller's."""
    by_type: dict[str, list[str]] = defaultdict(list)
    parsed: list[tuple[str, str] | None] = []
    for each in global_ids:
        try:
            type_name, key = parse(each)
        except IdNotFound:
            parsed.append(None)
            continue
        parsed.append((type_name, key))
        if type_name in _loaders:
            by_type[type_name].append(key)
    found = {type_name: _loaders[type_name](context, keys) for type_name, keys in by_type.items()}
    return [None if each is None else found.get(each[0], {}).get(each[1]) for each in parsed]


@strawberry.type
class NodeQuery:
    @root_query(description="Whatever has this global id; null when there is nothing or it is not yours.")
    def node(
        ctx: Context, *, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
    ) -> Node | None:
        return load_nodes(ctx, [id])[0]  # type: ignore[no-any-return]

    @root_query(description="Whatever has these global ids, in their order, null where there is nothing.")
    def nodes(
        ctx: Context,
        *,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Up to 100 global ids.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_IDS:
            raise Invalid(f"At most {MAX_IDS} ids at once.", field=["ids"])
        return load_nodes(ctx, ids)


def integer_keys(keys: Sequence[str]) -> list[int]:
    """The keys that can be integer primary keys."""
    return [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) <= 18]
