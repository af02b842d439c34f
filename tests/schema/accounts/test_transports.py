"""Tokens in headers, cookies, WebSockets and streams; forged requests of other sites; who may use what."""

import asyncio
import json
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from backend.accounts import services
from backend.accounts.models import Session
from schema.root import schema
from schema.server import callers
from schema.server.persisted_store import store
from schema.server.pubsub import close
from tests.conftest import connection_of_test
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.orders import make_order
from tests.schema.accounts.documents import REFRESH, REVOKE, SIGN_IN
from tests.schema.orders.watching import EVENTS
from tests.schema.server.sockets import SCOPE, subscribe

WHO = "{ viewer { id } }"
ORIGIN = {"origin": "http://localhost"}
PATIENCE_S = 20


def post(http: Any, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    return http("POST", "/graphql", json={"query": query, "variables": variables}, headers=headers or {})


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


# Headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_comes_in_a_header(http: Any, scheme: str) -> None:
    access = services.open_session(user=make_user()).access
    assert codes(post(http, WHO, {"authorization": f"{scheme} {access}"})) == []
    assert codes(post(http, WHO, {"authorization": f"Basic {access}"})) == ["UNAUTHENTICATED"]
    assert codes(post(http, "{ __typename }", {"authorization": f"Basic {access}"})) == []


@pytest.mark.parametrize("value", ["Bearer ", "Bearer x", "Bearer " + "x" * 9000, "Bearer \xff\xfe", "Bearer a.b.c"])
def test_a_token_that_is_none_is_refused_by_everything(http: Any, value: str) -> None:
    for query in (WHO, "{ __typename }"):
        answer = post(http, query, {"authorization": value.encode("latin-1")})  # type: ignore[dict-item]
        assert codes(answer) == ["UNAUTHENTICATED"]
        assert answer.json()["data"] is None


# Cookies ------------------------------------------------------------------------------------------


def cookies_of(answer: Any) -> SimpleCookie:
    jar: SimpleCookie = SimpleCookie()
    for value in answer.headers.get_list("set-cookie"):
        jar.load(value)
    return jar


def as_header(jar: SimpleCookie) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())}


@pytest.fixture
def jar(http: Any) -> SimpleCookie:
    """The cookies of somebody who signed in with a browser."""
    make_user("ada@example.com")
    answer = post(http, SIGN_IN, {"x-token-mode": "cookie"}, login="ada@example.com", password=PASSWORD)
    payload = answer.json()["data"]["tokenCreate"]
    assert (payload["accessToken"], payload["refreshToken"]) == (None, None)
    assert payload["user"]["email"] == "ada@example.com"
    return cookies_of(answer)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(jar: SimpleCookie, settings: Any) -> None:
    assert set(jar) == {"cartograph_access", "cartograph_refresh"}
    for morsel in jar.values():
        assert morsel["httponly"] is True
        assert morsel["samesite"] == "lax"
        assert morsel["path"] == "/graphql"
        assert int(morsel["max-age"]) == settings.REFRESH_TOKEN_DAYS * 24 * 60 * 60


def test_both_cookies_come_with_a_stream(http: Any) -> None:
    make_user("ada@example.com")
    headers = {"x-token-mode": "cookie", "accept": "text/event-stream"}
    answer = post(http, SIGN_IN, headers, login="ada@example.com", password=PASSWORD)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert set(cookies_of(answer)) == {"cartograph_access", "cartograph_refresh"}
    assert codes(post(http, WHO, as_header(cookies_of(answer)))) == []


def test_cookies_are_secure_where_the_shop_is(http: Any, settings: Any) -> None:
    settings.TOKEN_COOKIE_SECURE = True
    make_user("ada@example.com")
    answer = post(http, SIGN_IN, {"x-token-mode": "cookie"}, login="ada@example.com", password=PASSWORD)
    assert all(morsel["secure"] for morsel in cookies_of(answer).values())


def test_a_session_lives_and_ends_in_cookies(http: Any, jar: SimpleCookie) -> None:
    assert codes(post(http, WHO, as_header(jar))) == []
    answer = post(http, REFRESH, as_header(jar))
    assert answer.json()["data"]["tokenRefresh"]["userErrors"] == []
    assert answer.json()["data"]["tokenRefresh"]["refreshToken"] is None
    newer = cookies_of(answer)
    assert newer["cartograph_refresh"].value != jar["cartograph_refresh"].value
    assert codes(post(http, WHO, as_header(newer))) == []
    answer = post(http, REVOKE, as_header(newer))
    assert answer.json()["data"]["tokenRevoke"]["revoked"] is True
    assert {morsel["max-age"] for morsel in cookies_of(answer).values()} == {"0"}
    assert codes(post(http, WHO, as_header(newer))) == ["UNAUTHENTICATED"]
    answer = post(http, REFRESH, as_header(newer))
    assert answer.json()["data"]["tokenRefresh"]["userErrors"][0]["code"] == "TOKEN_INVALID"
    assert set(cookies_of(answer)) == set(jar)


def test_a_header_goes_before_a_cookie(http: Any, jar: SimpleCookie) -> None:
    other = make_user()
    access = services.open_session(user=other).access
    answer = post(http, "{ viewer { email } }", {**as_header(jar), "authorization": f"Bearer {access}"})
    assert answer.json()["data"]["viewer"]["email"] == other.email


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_changes_nothing(http: Any, jar: SimpleCookie, kind: str) -> None:
    body = json.dumps({"query": REVOKE})
    answer = http("POST", "/graphql", content=body, headers={**as_header(jar), "content-type": kind})
    assert answer.status_code == 415
    answer = http("POST", "/graphql", content=body, headers={**as_header(jar), "content-type": ""})
    assert answer.status_code == 415
    answer = http("GET", "/graphql", params={"query": REVOKE}, headers=as_header(jar))
    assert answer.status_code == 405
    assert Session.objects.get().revoked_at is None


@pytest.mark.parametrize("cookie", ["cartograph_access=", "cartograph_access", "cartograph_access=x; =;\x7f", "a=b"])
def test_strange_cookies_are_no_error(http: Any, cookie: str) -> None:
    answer = post(http, "{ __typename }", {"cookie": cookie})
    assert codes(answer) in ([], ["UNAUTHENTICATED"])


# WebSockets and streams -----------------------------------------------------------------------------


class Socket:
    """A client of graphql-transport-ws that acts on what it hears."""

    def __init__(self, init: Any, act: Callable[[int, Any], Any]) -> None:
        self.heard: list[Any] = []
        self._act = act
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._queue.put_nowait({"type": "websocket.connect"})
        self.say({"type": "connection_init", "payload": init})

    def say(self, message: Any) -> None:
        self._queue.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def hang_up(self) -> None:
        self._queue.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def receive(self) -> Any:
        return await self._queue.get()

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.heard.append(json.loads(message["text"]))
            self._act(len(self.heard), self)
        elif message["type"] == "websocket.close":
            self.heard.append({"close": message["code"]})
            self.hang_up()


def talk(init: Any, act: Callable[[int, Any], Any], headers: dict[str, str] | None = None) -> list[Any]:
    from schema.asgi import application

    held = connection_of_test()

    async def run() -> list[Any]:
        connections[DEFAULT_DB_ALIAS] = held
        socket = Socket(init, act)
        scope = {**SCOPE, "headers": [*SCOPE["headers"]]}  # type: ignore[misc]
        scope["headers"] += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        try:
            await application(scope, socket.receive, socket.send)
        finally:
            await close()
            await store.close()
        return socket.heard

    return asyncio.run(asyncio.wait_for(run(), PATIENCE_S))


def ask_who(count: int, socket: Socket) -> None:
    if count == 1:
        socket.say(subscribe({"query": WHO}))
    elif socket.heard[-1]["type"] != "next":
        socket.hang_up()


@pytest.mark.usefixtures("new_process", "db")
@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_socket_is_known_by_the_token_of_its_beginning(name: str) -> None:
    user = make_user()
    heard = talk({name: f"Bearer {services.open_session(user=user).access}"}, ask_who)
    assert heard[0] == {"type": "connection_ack"}
    assert heard[1]["payload"]["data"]["viewer"] is not None


@pytest.mark.usefixtures("new_process", "db")
def test_a_socket_of_a_guest_has_no_viewer_and_one_with_a_bad_token_is_closed() -> None:
    heard = talk({}, ask_who)
    assert heard[1]["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert talk({"Authorization": "Bearer x"}, ask_who) == [{"close": 4403}]


@pytest.mark.usefixtures("new_process")
def test_a_socket_takes_cookies_from_the_shops_own_origins_only(http: Any, jar: SimpleCookie, settings: Any) -> None:
    cookie = as_header(jar)
    for origin, known in (
        ("http://localhost", True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("https://localhost.evil.example", False),
        ("https://shop.example", True),
    ):
        settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
        heard = talk({}, ask_who, {**cookie, "origin": origin})
        payload = heard[1]["payload"]
        assert (payload["data"]["viewer"] is not None) is known, origin


@pytest.mark.usefixtures("new_process", "jar")
def test_signing_out_over_a_socket_sets_no_cookie_and_is_no_error(jar: SimpleCookie) -> None:
    def act(count: int, socket: Socket) -> None:
        if count == 1:
            socket.say(subscribe({"query": "mutation { tokenRevokeAll { revoked } }"}))
        elif "close" in socket.heard[-1] or socket.heard[-1]["type"] != "next":
            socket.hang_up()

    heard = talk({}, act, {**as_header(jar), **ORIGIN})
    assert heard[1]["payload"]["data"] == {"tokenRevokeAll": {"revoked": True}}


@pytest.mark.usefixtures("new_process", "db")
def test_a_socket_is_closed_when_its_session_ends() -> None:
    tokens = services.open_session(user=make_user())

    def act(count: int, socket: Socket) -> None:
        if count == 1:
            services.revoke_by_refresh_token(refresh_token=tokens.refresh)

    assert talk({"Authorization": f"Bearer {tokens.access}"}, act) == [{"type": "connection_ack"}, {"close": 4403}]


@pytest.mark.usefixtures("new_process", "db")
def test_a_socket_is_closed_when_its_token_is_over(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Found at the next look; no client has to wait ten minutes for it here."""
    tokens = services.open_session(user=make_user())
    monkeypatch.setattr(callers, "LOOK_AGAIN_S", 0.01)

    def act(count: int, socket: Socket) -> None:
        settings.TOKEN_LEEWAY_S = -settings.ACCESS_TOKEN_MINUTES * 60 - 1

    assert talk({"Authorization": f"Bearer {tokens.access}"}, act)[-1] == {"close": 4403}


@pytest.mark.usefixtures("new_process")
@pytest.mark.django_db
def test_a_stream_ends_when_its_session_does() -> None:
    from schema.asgi import application

    order, tokens, held = make_order(), services.open_session(user=make_user()), connection_of_test()
    body = {"query": EVENTS, "variables": {"orderId": _id(order), "token": order.token}}
    seen = bytearray()

    async def run() -> None:
        connections[DEFAULT_DB_ALIAS] = held
        sent = asyncio.Event()

        async def receive() -> Any:
            if sent.is_set():
                await asyncio.Event().wait()
            sent.set()
            return {"type": "http.request", "body": json.dumps(body).encode()}

        async def send(message: Any) -> None:
            seen.extend(message.get("body", b""))
            if b'"PLACED"' in seen and message.get("body"):
                services.revoke_by_refresh_token(refresh_token=tokens.refresh)

        headers = [
            (b"content-type", b"application/json"),
            (b"accept", b"text/event-stream"),
            (b"authorization", f"Bearer {tokens.access}".encode()),
        ]
        scope = {**SCOPE, "type": "http", "method": "POST", "headers": headers, "http_version": "1.1"}
        try:
            await application(scope, receive, send)
        finally:
            await close()
            await store.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
    assert b"event: complete" in seen


def _id(order: Any) -> str:
    from schema.server.ids import encode

    return encode("Order", order.pk)


# Who may use what -----------------------------------------------------------------------------------


def test_the_schema_tells_who_may_use_a_field() -> None:
    query, mutation = schema._schema.query_type, schema._schema.mutation_type
    assert query is not None
    assert mutation is not None
    for field in (query.fields["viewer"], mutation.fields["tokenRevokeAll"], mutation.fields["userDelete"]):
        assert (field.description or "").endswith("Needs a signed-in caller.")
