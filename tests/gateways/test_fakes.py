"""What every fake has: it starts as a process, breaks when it is told to, and is whole again after."""

import asyncio
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from backend.payments.models import Operation
from tests.gateways.fakes import hosted
from tests.gateways.harness import Break, ProcessHarness, running


class Tiny(ProcessHarness):
    module = "tests.gateways.fakes.tiny"


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    with running(Tiny()) as harness:
        yield harness


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


def test_a_double_that_delivers_posts_its_mail_and_keeps_what_the_address_has(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200)

    client = partial(httpx.AsyncClient, transport=httpx.MockTransport(receive))
    monkeypatch.setattr(hosted.httpx, "AsyncClient", client)

    async def send() -> None:
        fake = hosted.Hosted()
        fake.deliver = True
        fake.send(
            hosted.Mail("1", "https://shop.example/webhooks/paymob/?a=b", "{}", "application/json", {"hmac": "c"})
        )
        await asyncio.gather(*fake._sending)
        assert fake.mail == []

    asyncio.run(send())
    [request] = got
    assert (str(request.url), request.content) == ("https://shop.example/webhooks/paymob/?a=b&hmac=c", b"{}")


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://shop.example/a", True),
        ("http://localhost:8000/a", True),
        ("http://shop.example/a", False),
        ("ftp://shop.example", False),
        ("https://", False),
        ("shop.example", False),
    ],
)
def test_callbacks_are_https_but_on_the_own_machine(url: str, fits: bool) -> None:
    assert hosted.is_callback(url) is fits
