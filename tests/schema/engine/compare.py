"""One schema run both ways: breadth first, and by graphql-core alone."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import orjson

from schema.engine import EngineSchema
from tests.schema.engine.toy import Context

Path = tuple[str | int, ...]
Errors = dict[Path, dict[str, Any]]


class Pair:
    """The same schema twice. `context` makes what a request carries; `written` of it, if there, must be alike."""

    def __init__(self, make: Callable[..., EngineSchema], context: Callable[[], Any] = Context) -> None:
        self.fast = make(breadth_first=True)
        self.stock = make(breadth_first=False)
        self._context = context

    def answer(self, schema: EngineSchema, document: str, variables: Any = None, operation: str | None = None) -> Any:
        """Data, errors by path (fields that fail at once may report in any order), and what was written."""
        context = self._context()
        result: Any = asyncio.run(schema.execute(document, variables, context_value=context, operation_name=operation))
        errors = [error.formatted for error in result.errors or []]
        by_path = {tuple(each.get("path", ())): each for each in errors}
        assert len(by_path) == len(errors) or by_path.keys() == {()}, errors
        return result.data, by_path, getattr(context, "written", [])

    def both(self, document: str, variables: Any = None, operation: str | None = None) -> tuple[bytes, Errors]:
        """The answer of either way, as bytes and errors, after comparing them."""
        expected, errors, written = self.answer(self.stock, document, variables, operation)
        data, found, also_written = self.answer(self.fast, document, variables, operation)
        assert_same(expected, errors, data, found)
        assert also_written == written
        return as_bytes(expected), errors

    def counts(self) -> tuple[int, int]:
        engine = self.fast.engine
        assert engine is not None
        return engine.runs, sum(engine.fallbacks.values())

    def run_once(self, document: str, variables: Any = None, operation: str | None = None) -> bytes:
        """The data of a document that the engine must run by itself, the same as graphql-core's."""
        runs, fallbacks = self.counts()
        data, errors = self.both(document, variables, operation)
        assert errors == {}
        assert self.counts() == (runs + 1, fallbacks)
        return data

    def fall_back(self, document: str, reason: str, variables: Any = None) -> Errors:
        """The errors of a document that graphql-core must complete, for this reason."""
        assert self.fast.engine is not None
        before = self.fast.engine.fallbacks[reason]
        _, errors = self.both(document, variables)
        assert self.fast.engine.fallbacks[reason] == before + 1, self.fast.engine.fallbacks
        return errors


def assert_same(expected: Any, errors: Errors, data: Any, found: Errors) -> None:
    """The same bytes of data, and the same errors by path.

    Where a null spreads to a parent, which of the faults below that parent are told is left to the server by the
    specification (6.4.4); there, each way must tell one.
    """
    assert as_bytes(data) == as_bytes(expected)
    for path in errors.keys() ^ found.keys():
        place = null_above(expected, path)
        assert place is not None, path
        assert any(each[: len(place)] == place for each in errors)
        assert any(each[: len(place)] == place for each in found)
    assert all(errors[path] == found[path] for path in errors.keys() & found.keys())


def as_bytes(data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError:  # a scalar that sends anything
        return json.dumps(data, default=repr).encode()


def null_above(data: Any, path: Path) -> Path | None:
    """Where a null has taken the place of what would hold the path; None where it has not."""
    for depth, key in enumerate(path):
        if data is None:
            return path[:depth]
        data = data[key]
    return None
