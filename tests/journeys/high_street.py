"""A shop as `GATEWAY_DOUBLES=1 make run` starts it, and a storefront beside it that buyers come back to."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from backend.core.demo import DEMO_PASSWORD
from tests.journeys.shop import ADDRESS, Shop, running_shop

PLACES = {"BD": {"region": "", "postalCode": "1000"}, "IR": {"region": "", "postalCode": "1193653471"}}
# Besides the account whose buyers go to Stripe's page, one whose payments are made in the storefront's own.
ELEMENTS = {
    "STRIPE_ACCOUNTS": "elements",
    "STRIPE_ELEMENTS_CURRENCIES": "EUR",
    "STRIPE_ELEMENTS_FLOW": "CLIENT_SECRET",
}


@dataclass(frozen=True)
class Street:
    shop: Shop
    variant: str
    storefront: str
    """Where buyers come back to."""
    doubles: dict[str, str]
    """Name -> address, as `make run` has said."""

    def buy(self, currency: str, country: str) -> dict[str, Any]:
        """An order for one unit of something, to somebody in that country."""
        payload = self.shop.ask(
            """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
                 order { id token number totals { total { amount formatted } } }
                 userErrors { code message field } } }""",
            {
                "input": {
                    "lines": [{"variantId": self.variant, "quantity": 1}],
                    "currency": currency,
                    "email": f"{uuid4().hex}@example.com",
                    "phone": "+201234567890",
                    "shippingAddress": {**ADDRESS, **PLACES.get(country, {}), "country": country},
                    "idempotencyKey": str(uuid4()),
                }
            },
        )["orderPlace"]
        assert payload["userErrors"] == [], payload
        return dict(payload["order"])

    def start(self, order: dict[str, Any], gateway: str) -> dict[str, Any]:
        payload = self.shop.ask(
            """mutation ($input: PaymentStartInput!) { paymentStart(input: $input) {
                 payment { id status nextAction { ... on RedirectAction { url }
                   ... on ClientSecretAction { clientSecret publishableKey } } }
                 userErrors { code message field } } }""",
            {
                "input": {
                    "orderId": order["id"],
                    "orderToken": order["token"],
                    "gateway": gateway,
                    "returnUrl": self.storefront,
                    "idempotencyKey": str(uuid4()),
                }
            },
        )["paymentStart"]
        assert payload["userErrors"] == [], payload
        return dict(payload["payment"])

    def verify(self, payment: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
        """What a storefront asks when a buyer is back, while messages come too."""
        payload = self.shop.ask(
            """mutation ($id: ID!, $token: String) { paymentVerify(input: { paymentId: $id, orderToken: $token }) {
                 payment { id status errorCode } userErrors { code message field } } }""",
            {"id": payment["id"], "token": order["token"]},
        )["paymentVerify"]
        assert payload["userErrors"] == [], payload
        return dict(payload["payment"])

    def refund(self, order: dict[str, Any]) -> None:
        """An order manager gives back all of it."""
        sign_in = "mutation ($input: TokenCreateInput!) { tokenCreate(input: $input) { accessToken } }"
        login = {"login": "orders@example.com", "password": DEMO_PASSWORD}
        token = self.shop.ask(sign_in, {"input": login})["tokenCreate"]["accessToken"]
        answer = self.shop.http.post(
            "/graphql",
            headers={"Authorization": f"Bearer {token}"},
            json={
                "query": """mutation ($input: RefundCreateInput!) { refundCreate(input: $input) {
                    refund { id status } userErrors { code message field } } }""",
                "variables": {
                    "input": {"orderId": order["id"], "reason": "Sent back.", "idempotencyKey": str(uuid4())}
                },
            },
        ).json()
        assert answer["data"]["refundCreate"]["userErrors"] == [], answer

    def gateways(self, currency: str, country: str) -> set[str]:
        query = """query ($currency: CurrencyCode, $country: CountryCode) {
            shop { paymentGateways(currency: $currency, country: $country) { id } } }"""
        found = self.shop.ask(query, {"currency": currency, "country": country})["shop"]["paymentGateways"]
        return {each["id"] for each in found}


@contextmanager
def running_street(folder: Path) -> Iterator[Street]:
    with running_shop(folder / "data", GATEWAY_DOUBLES="1", **ELEMENTS) as shop, _storefront() as storefront:
        said = (folder / "shop.log").read_text(errors="replace")
        doubles = dict(re.findall(r"^ +(\w+) +(http://127\.\S+) ", said, re.MULTILINE))
        yield Street(shop, shop.variant(minimum=20)["id"], storefront, doubles)


class _Thanks(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Thanks</title><h1>The storefront</h1><p>Thanks.</p>")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing of it is worth a line."""


@contextmanager
def _storefront() -> Iterator[str]:
    """A site of its own: browsers follow redirects to it, which they do not to what a test merely intercepts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Thanks) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/thanks?from=test"
        server.shutdown()
        thread.join()
