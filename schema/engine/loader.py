"""Batches of one request: parents that ask for the same field in the same turn are answered by one call."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

BatchFunction = Callable[..., list[Any]]
Call = tuple["BatchKey", list[Any]]


class BatchKey:
    """One field with one set of arguments: what may share a call."""

    __slots__ = ("function", "kwargs", "name", "takes_context")

    def __init__(self, name: str, function: BatchFunction, takes_context: bool, kwargs: dict[str, Any]) -> None:
        self.name = name
        self.function = function
        self.takes_context = takes_context
        self.kwargs = kwargs

    def run(self, parents: list[Any], context: Any) -> list[Any]:
        if self.takes_context:
            answers = self.function(parents, context, **self.kwargs)
        else:
            answers = self.function(parents, **self.kwargs)
        if len(answers) != len(parents):
            raise BatchLengthError(self.name, len(parents), len(answers))
        return answers


class BatchLengthError(Exception):
    """A batched function returned another number of answers than it had parents: a bug in that function."""

    def __init__(self, name: str, asked: int, answered: int) -> None:
        super().__init__(f"The batched field {name} was asked for {asked} answers and returned {answered}.")


class RunsSync(Protocol):
    """What the engine asks of a request's context: a way to run blocking work off the event loop."""

    def run_sync(self, function: Callable[[], Any]) -> Awaitable[Any]: ...


class _Pending:
    __slots__ = ("futures", "index", "parents")

    def __init__(self) -> None:
        self.parents: list[Any] = []
        self.futures: list[asyncio.Future[Any]] = []
        self.index: dict[int, asyncio.Future[Any]] = {}


class Batches:
    """Collects loads until the event loop's turn is over, then answers all of them in one hop."""

    __slots__ = ("_context", "_pending", "_tasks", "keys")

    def __init__(self, context: RunsSync) -> None:
        self._context = weakref.ref(context)  # which has its batches: a circle would be left to the garbage collector
        self._pending: dict[BatchKey, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.keys: dict[tuple[int, int], tuple[Any, Any]] = {}

    def load(self, key: BatchKey, parent: Any) -> "asyncio.Future[Any]":
        """A future of this parent's answer. The same parent twice in a turn shares one."""
        pending = self._pending.get(key)
        if pending is None:
            if not self._pending:
                loop = asyncio.get_running_loop()
                # Two turns: tasks that start in this very turn still get on board.
                loop.call_soon(loop.call_soon, self._dispatch)
            pending = self._pending[key] = _Pending()
        future = pending.index.get(id(parent))
        if future is None:
            future = pending.index[id(parent)] = asyncio.get_running_loop().create_future()
            pending.parents.append(parent)
            pending.futures.append(future)
        return future

    def _dispatch(self) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(self._pending))
        self._pending = {}
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, pending: dict[BatchKey, _Pending]) -> None:
        calls = [(key, each.parents) for key, each in pending.items()]
        context = self._context()
        if context is None:  # and so nobody who waits
            return
        try:
            results = await context.run_sync(lambda: run_calls(calls, context))
        except BaseException as error:  # noqa: BLE001 - handed to the fields that wait for it
            results = [error] * len(calls)
        for each, result in zip(pending.values(), results, strict=True):
            _settle(each.futures, result)


def run_calls(calls: list[Call], context: Any) -> list[list[Any] | BaseException]:
    """Answers or the exception of each call, so that one that fails spares the others."""
    results: list[list[Any] | BaseException] = []
    for key, parents in calls:
        try:
            results.append(key.run(parents, context))
        except Exception as error:  # noqa: BLE001 - handed to the fields that wait for it
            results.append(error)
    return results


def _settle(futures: list["asyncio.Future[Any]"], result: list[Any] | BaseException) -> None:
    answers = [result] * len(futures) if isinstance(result, BaseException) else result
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            _fail(future, answer)
        else:
            future.set_result(answer)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
        return
    if isinstance(error, StopIteration):  # which no future takes
        told = RuntimeError("StopIteration")
        told.__cause__ = error
        error = told
    future.set_exception(error)
    future.exception()  # a field that nobody waits for any more, beside one that failed, is no news for the log
