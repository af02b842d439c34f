"""What every fake has: it starts as a process, breaks when it is told to, and is whole again after."""

from collections.abc import Iterator

import httpx
import pytest

from backend.payments.models import Operation
from tests.gateways.harness import Break, ProcessHarness


class Tiny(ProcessHarness):
    module = "tests.gateways.fakes.tiny"


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    harness = Tiny()
    harness.begin()
    yield harness
    harness.end()


def count(tiny: Tiny) -> int:
    return int(tiny.command("count"))


def start(tiny: Tiny) -> httpx.Response:
    return httpx.post(f"{tiny.url}/start", timeout=0.3)


def test_a_fake_acts_or_not_as_it_is_broken(tiny: Tiny) -> None:
    tiny.reset()
    assert (start(tiny).status_code, count(tiny)) == (200, 1)
    for how, acted in ((Break.LOST_BEFORE, 0), (Break.LOST_AFTER, 1)):
        tiny.reset()
        tiny.break_(Operation.START, how)
        with pytest.raises(httpx.TimeoutException):
            start(tiny)
        assert count(tiny) == acted
    tiny.break_(Operation.START, Break.ERROR_500)
    assert start(tiny).status_code == 500
    tiny.break_(Operation.START, Break.GARBAGE)
    with pytest.raises(ValueError, match="Expecting"):
        start(tiny).json()
    tiny.mend()
    assert (start(tiny).status_code, count(tiny)) == (200, 2)


def test_commands_that_there_are_not_are_errors(tiny: Tiny) -> None:
    with pytest.raises(AssertionError):
        tiny.command("dance")
