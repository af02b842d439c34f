"""One proxy before one localstripe for all of these tests; the account's flow is the test's to choose."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from stripe import StripeClient, V1Services

from backend.payments.gateways.stripe import GATEWAY
from backend.payments.gateways.stripe.adapter import StripeGateway
from tests.gateways.fakes.stripe_api import KEY
from tests.gateways.harness import Sent, running
from tests.gateways.harnesses.stripe import StripeHarness

Gateway = Callable[..., StripeGateway]


@pytest.fixture(scope="session")
def double() -> Iterator[StripeHarness]:
    with running(StripeHarness()) as harness:
        yield harness


@pytest.fixture
def stripe(double: StripeHarness) -> Iterator[StripeHarness]:
    double.reset()
    yield double
    double.mend()


@pytest.fixture
def gateway(stripe: StripeHarness) -> Gateway:
    """The adapter, with other settings where a test names them."""
    return lambda **changed: GATEWAY(stripe.account(**changed))


@pytest.fixture(params=["CLIENT_SECRET", "REDIRECT"])
def shop(request: pytest.FixtureRequest, stripe: StripeHarness, settings: Any) -> StripeHarness:
    """The shop offers Stripe in both flows, one after the other."""
    settings.GATEWAYS = {"stripe": [stripe.account(flow=request.param)]}
    return stripe


@pytest.fixture
def sdk(stripe: StripeHarness) -> V1Services:
    """The SDK without our adapter, to try the double."""
    return StripeClient(KEY, base_addresses={"api": stripe.url}, max_network_retries=0).v1


@pytest.fixture
def door() -> Iterator[tuple[str, "Queue[Sent]"]]:
    """An address where messages come in over HTTP as they are."""
    came: Queue[Sent] = Queue()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put(Sent(body=body, headers={"Stripe-Signature": self.headers["Stripe-Signature"]}))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", came
    server.shutdown()
    thread.join()
    server.server_close()
