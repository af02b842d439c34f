"""The shared door to gateways: what is repeated, when nobody is asked any more, what errors hold."""

import logging
from collections.abc import Callable

import httpx
import pytest
from django.conf import settings

from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.http import FAILURES, CircuitOpen, GatewayHttp, breaker_of, close_circuits

SECRET = "passwd-that-nobody-may-see"


class Server:
    """Answers as told, and counts."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.asked = 0
        self.answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answer(request)


def door(server: Server, name: str = "acme") -> GatewayHttp:
    return GatewayHttp(name, "https://acme.example", transport=httpx.MockTransport(server))


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout(f"no answer from {request.url}", request=request)


def status(code: int, text: str = "{}") -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(code, text=text)


@pytest.mark.parametrize("answer", [lost, status(500), status(503), status(429)], ids=["lost", "500", "503", "429"])
def test_what_tells_nothing_is_unavailable_and_holds_no_address(answer: Callable[..., httpx.Response]) -> None:
    with pytest.raises(GatewayUnavailable) as failure:
        door(Server(answer)).get("/pay", params={"store_passwd": SECRET})
    assert SECRET not in str(failure.value)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("ask", "times"),
    [
        (lambda to: to.get("/x"), 3),
        (lambda to: to.get("/x", repeatable=False), 1),
        (lambda to: to.post("/x"), 1),
        (lambda to: to.post("/x", repeatable=True), 3),
    ],
    ids=["get", "get that moves money", "post", "post with a key"],
)
def test_only_what_may_be_repeated_is(ask: Callable[[GatewayHttp], object], times: int) -> None:
    server = Server(lost)
    with pytest.raises(GatewayUnavailable):
        ask(door(server))
    assert server.asked == times


def test_a_second_try_can_succeed() -> None:
    answers = iter([httpx.Response(502), httpx.Response(200, json={"ok": 1})])
    to = door(Server(lambda _: next(answers)))
    assert to.json(to.get("/x")) == {"ok": 1}


@pytest.mark.parametrize("code", [200, 201, 400, 401, 404, 422])
def test_answers_that_tell_something_are_the_adapters(code: int) -> None:
    server = Server(status(code))
    assert door(server).get("/x").status_code == code
    assert server.asked == 1


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null", '{"a": ', "1"])
def test_a_body_that_is_no_json_object_is_unavailable(text: str) -> None:
    to = door(Server(status(200, text)))
    with pytest.raises(GatewayUnavailable):
        to.json(to.get("/x"))


def test_a_gateway_that_is_down_is_left_alone_and_others_are_not() -> None:
    server = Server(status(500))
    to = door(server)
    for _ in range(FAILURES):
        with pytest.raises(GatewayUnavailable):
            to.post("/x")
    with pytest.raises(CircuitOpen):
        to.get("/x")
    assert server.asked == FAILURES
    assert door(Server(status(200)), "other").get("/x").status_code == 200
    assert breaker_of("acme").opened
    close_circuits()
    server.answer = status(200)
    assert to.get("/x").status_code == 200


def test_refusals_do_not_open_the_circuit() -> None:
    to = door(Server(status(402)))
    for _ in range(FAILURES * 2):
        to.post("/x")
    assert not breaker_of("acme").opened


def test_redirects_are_not_followed() -> None:
    server = Server(lambda request: httpx.Response(302, headers={"location": "https://elsewhere.example"}))
    assert door(server).get("/x").status_code == 302
    assert server.asked == 1


def test_addresses_and_bodies_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert {
        settings.LOGGING["loggers"][name]["level"] for name in ("httpx", "httpcore", "stripe", "paypalrestsdk")
    } == {"WARNING"}
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.WARNING, logger=name)
    door(Server(status(200))).get("/x", params={"store_passwd": SECRET})
    assert SECRET not in caplog.text
