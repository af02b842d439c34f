"""The event loop's threads: what they run, what comes back, and what is left when nobody waits."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from threading import Event
from typing import Any

import pytest

from schema.server.threads import LoopThreads

WAIT_S = 10
who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def one() -> Iterator[LoopThreads]:
    threads = LoopThreads(1, "one", lambda: None)
    yield threads
    threads.close()


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def fail(error: BaseException) -> Callable[[], Any]:
    def function() -> None:
        raise error

    return function


def test_answers_and_errors_come_back_from_another_thread(one: LoopThreads) -> None:
    async def run() -> None:
        assert await one.run(lambda: threading.current_thread().name) == "one_0"
        with pytest.raises(KeyError, match="lost"):
            await one.run(fail(KeyError("lost")))
        with pytest.raises(SystemExit):
            await one.run(fail(SystemExit()))
        assert await one.run(lambda: "still there") == "still there"

    asyncio.run(run())


def test_a_stop_iteration_is_told_instead_of_never(one: LoopThreads) -> None:
    async def run() -> None:
        with pytest.raises(RuntimeError, match="StopIteration") as told:
            await asyncio.wait_for(one.run(fail(StopIteration("end"))), WAIT_S)
        assert isinstance(told.value.__cause__, StopIteration)

    asyncio.run(run())


@pytest.mark.parametrize("error", [KeyError, StopIteration])
def test_what_has_failed_is_freed_without_the_garbage_collector(
    one: LoopThreads, no_collector: None, error: type[Exception]
) -> None:
    rows: list[weakref.ref[Any]] = []

    def function() -> None:
        row = Event()
        rows.append(weakref.ref(row))
        raise error

    async def run() -> None:
        with suppress(KeyError, RuntimeError):
            await one.run(function)
        await one.run(lambda: "next")  # by then the thread has let go of the last

    asyncio.run(run())
    assert [row() for row in rows] == [None]


def test_a_function_has_the_context_of_whoever_asks(one: LoopThreads) -> None:
    async def ask(name: str) -> str:
        who.set(name)
        return await one.run(who.get)

    async def run() -> list[str]:
        return list(await asyncio.gather(ask("Ada"), ask("Grace"), one.run(who.get)))

    assert asyncio.run(run()) == ["Ada", "Grace", "nobody"]


def test_as_many_run_at_once_as_there_are_threads_each_begun_once() -> None:
    begun: list[str] = []
    threads = LoopThreads(3, "three", lambda: begun.append(threading.current_thread().name))
    together = threading.Barrier(3)

    async def run() -> list[int]:
        return await asyncio.gather(*(threads.run(lambda: together.wait(WAIT_S)) for _ in range(6)))

    assert sorted(asyncio.run(run())) == [0, 0, 1, 1, 2, 2]
    threads.close()
    assert sorted(begun) == ["three_0", "three_1", "three_2"]


def test_what_nobody_waits_for_any_more_does_not_run(one: LoopThreads) -> None:
    busy, ran = threading.Event(), []

    async def run() -> None:
        first = one.run(lambda: busy.wait(WAIT_S))
        second = one.run(lambda: ran.append("second"))
        second.cancel()
        busy.set()
        await first
        await one.run(lambda: ran.append("third"))

    asyncio.run(run())
    assert ran == ["third"]


@pytest.mark.parametrize("outcome", [lambda: "late", fail(KeyError("late"))], ids=["answer", "error"])
def test_what_comes_after_somebody_has_left_is_dropped(one: LoopThreads, outcome: Callable[[], Any]) -> None:
    begun, go_on = threading.Event(), threading.Event()
    complaints: list[Any] = []

    def late() -> Any:
        begun.set()
        go_on.wait(WAIT_S)
        return outcome()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: complaints.append(told))
        left = one.run(late)
        assert await loop.run_in_executor(None, begun.wait, WAIT_S)
        left.cancel()
        go_on.set()
        assert await one.run(lambda: "next") == "next"
        assert left.cancelled()

    asyncio.run(run())
    assert complaints == []


def test_a_loop_that_is_closed_does_not_hurt_the_thread(one: LoopThreads) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(WAIT_S)

    async def leave() -> None:
        one.run(wait)
        assert await asyncio.get_running_loop().run_in_executor(None, begun.wait, WAIT_S)

    async def ask() -> str:
        return await one.run(lambda: "here")

    asyncio.run(leave())
    go_on.set()
    assert asyncio.run(ask()) == "here"


def test_closed_threads_end_after_what_they_were_given() -> None:
    threads = LoopThreads(2, "closing", lambda: None)

    async def run() -> list[int]:
        given = [threads.run(partial(int, number)) for number in range(10)]
        threads.close()
        return await asyncio.gather(*given)

    assert asyncio.run(run()) == list(range(10))
    for thread in threading.enumerate():
        if thread.name.startswith("closing_"):
            thread.join(WAIT_S)
            assert not thread.is_alive()
