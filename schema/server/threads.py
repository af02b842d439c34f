"""Threads that the event loop hands blocking work to."""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")


class _Call(NamedTuple):
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    context: contextvars.Context
    function: Callable[[], Any]


class LoopThreads:
    """A fixed number of threads; each runs one function at a time, and tells the loop that asked.

    Every query passes here. `run_in_executor` makes a second future for each call, with a lock and a condition, and
    took 35 microseconds of CPU where this takes 15.
    """

    def __init__(self, size: int, name: str, begin: Callable[[], None]) -> None:
        """`begin` is called once in each thread, before its first function."""
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._begin = begin
        self._size = size
        for number in range(size):
            Thread(target=self._work, name=f"{name}_{number}", daemon=True).start()

    def run(self, function: Callable[[], Result]) -> asyncio.Future[Result]:
        """What the function will return or raise. It has the caller's context variables.

        Where nobody waits any more when its turn comes, it does not run.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._calls.put(_Call(loop, future, contextvars.copy_context(), function))
        return future

    def close(self) -> None:
        """Let the threads end after what they were given."""
        for _ in range(self._size):
            self._calls.put(None)

    def _work(self) -> None:
        self._begin()
        while (call := self._calls.get()) is not None:
            if not call.future.cancelled():
                _answer(call)
            del call  # or it would stay in memory until the next


def _answer(call: _Call) -> None:
    try:
        result = call.context.run(call.function)
    except StopIteration as error:
        failure = RuntimeError("a function on a thread raised StopIteration")  # no future holds that itself
        failure.__cause__ = error
        _tell(call, call.future.set_exception, failure)
        del failure
    except BaseException as error:  # noqa: BLE001 - raised again where the function was asked for
        _tell(call, call.future.set_exception, error)
    else:
        _tell(call, call.future.set_result, result)
    finally:
        del call  # or the future, its exception and this frame would hold each other


def _tell(call: _Call, settle: Callable[[Any], None], outcome: Any) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        call.loop.call_soon_threadsafe(_settle, call.future, settle, outcome)


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    if not future.done():
        settle(outcome)
