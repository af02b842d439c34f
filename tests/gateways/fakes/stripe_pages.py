"""For people who click through: Stripe's page with its buttons, and messages that go out as they arise.

A Checkout Session's address is the page. For a PaymentIntent, where a storefront has no Stripe.js without the internet,
it is `/c/pay/<intent>?client_secret=…&return_url=…`.
"""

import asyncio
import json
import os
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.requests import Request
from starlette.responses import Response
from stripe import WebhookSignature

from tests.gateways.fakes.hosted import go_by_get, page
from tests.gateways.fakes.stripe_api import SECRET
from tests.gateways.fakes.stripe_objects import Object, Objects

WEBHOOKS = os.environ.get("STRIPE_DOUBLE_TELLS", "http://127.0.0.1:8000/webhooks/stripe/")
"""The real one has this address from its dashboard. That of an account "eu" is `eu/` below it."""
WHOLE = ("JPY", "KRW", "VND", "CLP")
"""Some currencies without cents, for show."""
BUTTONS = {
    "pay": "Pay",
    "authenticate": "Pay with a card that asks to authenticate",
    "decline": "Pay with a card that is declined",
    "back": "Go back",
}


class Pages:
    objects: Objects
    account_of: dict[str, str]
    """Our id of a payment -> the account whose key began it."""

    def control_act(self, sent: dict[str, Any]) -> None:
        raise NotImplementedError

    def send(self, event: Object, payment_id: str) -> None:
        account = self.account_of.get(payment_id, "")
        url = f"{WEBHOOKS}{account}/" if account else WEBHOOKS
        task = asyncio.get_running_loop().create_task(_post(url, json.dumps(event)))
        _sending.add(task)
        task.add_done_callback(_sending.discard)

    async def page(self, request: Request) -> Response:
        found = self._on_page(request)
        if found is None:
            return Response("no such payment", status_code=404)
        told, payment_id, to = found
        if told["status"] in ("complete", "expired", "succeeded", "canceled"):
            return go_by_get(to)
        if request.method == "GET":
            return page("Stripe", _shown(told), BUTTONS)
        pressed = parse_qs((await request.body()).decode()).get("act", ["back"])[0]
        if pressed in BUTTONS and pressed != "back":
            self.control_act({"payment_id": payment_id, "act": pressed})
        if pressed == "decline":
            return page("Stripe", _shown(told), {"back": "Go back"}, about="Your card was declined.")
        return go_by_get(to)

    def _on_page(self, request: Request) -> tuple[Object, str, str] | None:
        """What is to be paid, our id of it, and where the buyer goes after."""
        own = request.path_params["id"]
        session = self.objects.sessions.get(own)
        if session is not None:
            told = {"amount": session["amount_total"], "currency": session["currency"], "status": session["status"]}
            return told, session["client_reference_id"], session["success_url"]
        if own not in self.objects.more:
            return None
        intent = self.objects.intent(own)
        if request.query_params.get("client_secret") != intent["client_secret"]:
            return None
        return intent, intent["metadata"]["payment_id"], request.query_params.get("return_url", "/")


def _shown(told: Object) -> str:
    """As people write it."""
    currency = told["currency"].upper()
    amount = str(told["amount"]) if currency in WHOLE else f"{told['amount'] / 100:.2f}"
    return f"{amount} {currency}"


_sending: set["asyncio.Task[None]"] = set()


async def _post(url: str, body: str) -> None:
    signature = WebhookSignature.generate_signature_header(body, SECRET)
    headers = {"Stripe-Signature": signature, "content-type": "application/json; charset=utf-8"}
    async with httpx.AsyncClient(timeout=10) as client:
        await client.post(url, content=body, headers=headers)
