"""A whole shop of real processes, as `make run` starts it, and a client for it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from websockets.sync.client import ClientConnection, connect

from backend.core.mail import mail_files
from backend.local.address import free_port
from backend.local.claim import MARK
from backend.local.processes import with_variable

Found = TypeVar("Found")
ROOT = Path(__file__).parent.parent.parent
START_S = 120
WAIT_S = 20
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Byron",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62701",
    "country": "US",
}

STAFF = {"username": "admin@example.com", "password": "cartograph-demo"}


def until(look: Callable[[], Found], *, seconds: float = WAIT_S, what: str = "") -> Found:
    """What `look` finds, as soon as it finds something true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting after {seconds} s: {what or look}")
        time.sleep(0.05)
    return found


def charge_of(payment: dict[str, Any]) -> str:
    """The sandbox's own id of a payment: it stands in its page's address."""
    return str(payment["nextAction"]["url"].rstrip("/").rpartition("/")[2])


def _token_in(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]


class Shop:
    """A running shop, seen from outside."""

    def __init__(self, url: str, data_dir: Path, environment: dict[str, str]) -> None:
        self.url = url
        self.data_dir = data_dir
        self.environment = environment
        self.http = httpx.Client(base_url=url, timeout=30)

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of an operation; top-level errors fail the test."""
        answer = self.http.post("/graphql", json={"query": query, "variables": variables or {}})
        document = answer.json()
        assert answer.status_code == 200, document
        assert "errors" not in document, document
        return dict(document["data"])

    def move_clock(self, seconds: float) -> None:
        assert self.http.post("/dev/clock/", json={"seconds": seconds}).status_code == 200

    def move_clock_alone(self, seconds: float) -> None:
        """Move the shop's time behind its back: nothing runs for it but what the scheduler sends."""
        command = [sys.executable, "manage.py", "shell", "-c"]
        move = f"from backend.core import clock; clock.move_offset({seconds})"
        subprocess.run([*command, move], cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def time(self) -> datetime:
        return datetime.fromisoformat(self.http.get("/dev/clock/").json()["now"])

    def rss(self, command: str) -> list[int]:
        """Resident bytes of each of the shop's processes that was started by this command."""
        found = [each for each in with_variable(MARK, str(self.data_dir)) if command in " ".join(each.cmdline())]
        return [each.memory_info().rss for each in found]

    def mails_to(self, address: str) -> list[EmailMessage | Message]:
        files = mail_files(self.data_dir / "mail")
        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
        return [mail for mail in mails if mail["to"] == address]

    def variant(self, minimum: int = 5) -> dict[str, Any]:
        """A variant with at least so many units."""
        nodes = self.ask(
            """{ products(first: 50, filter: { available: true }) { nodes { name variants {
                 id sku price { amount } availability { quantity } } } } }"""
        )["products"]["nodes"]
        variants = [variant for node in nodes for variant in node["variants"]]
        return next(each for each in variants if each["price"] and each["availability"]["quantity"] >= minimum)

    def quantity(self, variant_id: str) -> int:
        query = "query ($id: ID!) { variant(id: $id) { availability { quantity } } }"
        return int(self.ask(query, {"id": variant_id})["variant"]["availability"]["quantity"])

    def buy(self, variant_id: str, quantity: int = 1, *, email: str | None = None) -> dict[str, Any]:
        """An order placed without a cart."""
        payload = self.ask(
            """mutation ($lines: [CartLineInput!]!, $email: String!, $to: AddressInput!, $key: String!) {
                 orderPlace(input: { lines: $lines, email: $email, shippingAddress: $to, idempotencyKey: $key }) {
                   order { id token number status totals { total { amount currency } } }
                   userErrors { code message field } shortages { variantId requested available } } }""",
            {
                "lines": [{"variantId": variant_id, "quantity": quantity}],
                "email": email or f"{uuid4().hex}@example.com",
                "to": ADDRESS,
                "key": str(uuid4()),
            },
        )["orderPlace"]
        assert payload["userErrors"] == []
        return dict(payload["order"])

    def start_payment(self, order: dict[str, Any], scenario: str = "APPROVE", key: str | None = None) -> dict[str, Any]:
        return dict(
            self.ask(
                """mutation ($order: ID!, $token: String, $key: String!, $scenario: SandboxScenario) {
                     paymentStart(input: { orderId: $order, orderToken: $token, gateway: "sandbox",
                       returnUrl: "http://localhost/thanks?from=test", idempotencyKey: $key, scenario: $scenario }) {
                       payment { id status amount { amount } nextAction { ... on RedirectAction { url } } }
                       replayed userErrors { code message field } } }""",
                {
                    "order": order["id"],
                    "token": order["token"],
                    "key": key or str(uuid4()),
                    "scenario": scenario,
                },
            )["paymentStart"]
        )

    def press(self, payment: dict[str, Any], button: str) -> httpx.Response:
        """Press a button of the payment page as a browser would: with its cookie and token."""
        with httpx.Client(timeout=30) as browser:
            url = payment["nextAction"]["url"]
            return browser.post(url, data={"csrfmiddlewaretoken": _token_in(browser.get(url).text), "button": button})

    def pay(self, order: dict[str, Any]) -> None:
        self.press(self.start_payment(order)["payment"], "pay")
        self.wait_for(order, status="PAID")

    def mails_after_a_later_one(self, address: str) -> list[EmailMessage | Message]:
        """The mails to an address once another order, bought and paid for now, has had its own.

        What was on its way before that has arrived: a second mail would be among them.
        """
        later = f"{uuid4().hex}@example.com"
        self.pay(self.buy(self.variant()["id"], email=later))
        until(lambda: self.mails_to(later), what="a later order's confirmation")
        return self.mails_to(address)

    @contextmanager
    def admin(self) -> "Iterator[httpx.Client]":
        """The admin's pages, signed in as whom the demo shop names."""
        with httpx.Client(base_url=self.url, timeout=30, follow_redirects=True) as staff:
            form = {"csrfmiddlewaretoken": _token_in(staff.get("/admin/login/").text), **STAFF}
            assert "Log out" in staff.post("/admin/login/?next=/admin/", data=form).text
            yield staff

    def newest_message(self, staff: httpx.Client, state: str, payment: dict[str, Any]) -> bool:
        """Whether the newest message of gateways in that state is about this payment."""
        listing = staff.get(f"/admin/payments/webhookmessage/?state__exact={state}").text
        newest = re.search(r"/admin/payments/webhookmessage/\d+/change/", listing)
        return newest is not None and charge_of(payment) in staff.get(newest[0]).text

    def order(self, order: dict[str, Any]) -> dict[str, Any]:
        query = """query ($id: ID!, $token: String) { order(id: $id, token: $token) {
            status paymentStatus paidAt hold { secondsLeft }
            totals { total { amount } paid { amount } refunded { amount } due { amount } }
            payments { id status errorCode } } }"""
        return dict(self.ask(query, {"id": order["id"], "token": order["token"]})["order"])

    def wait_for(self, order: dict[str, Any], *, seconds: float = WAIT_S, **wanted: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.order(order)
            return found if all(found[name] == value for name, value in wanted.items()) else None

        return until(look, seconds=seconds, what=f"{wanted}") or {}

    @contextmanager
    def events(self, order: dict[str, Any], after: str | None = None) -> "Iterator[Events]":
        """The order's events over graphql-transport-ws."""
        url = self.url.replace("http://", "ws://") + "/graphql"
        with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            events = Events(socket)
            events.begin(order, after)
            yield events


class Events:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def begin(self, order: dict[str, Any], after: str | None) -> None:
        self._send({"type": "connection_init", "payload": {}})
        assert self._receive()["type"] == "connection_ack"
        query = """subscription ($id: ID!, $token: String, $after: String) {
            orderEvents(orderId: $id, token: $token, after: $after) {
              cursor sequence type occurredAt message order { id status paymentStatus } } }"""
        variables = {"id": order["id"], "token": order["token"], "after": after}
        self._send({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})

    def next(self) -> dict[str, Any]:
        message = self._receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return dict(message["payload"]["data"]["orderEvents"])

    def until_type(self, wanted: str) -> list[dict[str, Any]]:
        """Events up to and with the first of that type."""
        seen = [self.next()]
        while seen[-1]["type"] != wanted:
            seen.append(self.next())
        return seen

    def raw(self) -> dict[str, Any]:
        return self._receive()

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.send(json.dumps(message))

    def _receive(self) -> dict[str, Any]:
        return dict(json.loads(self._socket.recv(timeout=WAIT_S)))


@contextmanager
def running_shop(data_dir: Path, **settings: str) -> Iterator[Shop]:
    """`make run` with engines, port and data of its own, and these variables; every process ends with it."""
    port = free_port()
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "DB_POOL_SIZE")
    }
    environment = {
        **kept,
        "ENVIRONMENT": "development",
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "TEST_CLOCK": "1",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        **settings,
    }
    log = data_dir.parent / "shop.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "backend.local.run"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            shop = Shop(f"http://127.0.0.1:{port}", data_dir, environment)
            until(lambda: _answers(shop, process, log), seconds=START_S, what="the shop's start")
            yield shop
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _answers(shop: Shop, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")[-3000:]
    try:
        return "GraphiQL" in log.read_text(errors="replace") and shop.ask("{ __typename }") == {"__typename": "Query"}
    except (httpx.HTTPError, ValueError):
        return False
