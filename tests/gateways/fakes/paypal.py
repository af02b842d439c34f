"""PayPal's Orders v2 and Payments v2 with their states, its token route and its check of messages."""

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateways.fakes.base import operation, serve
from tests.gateways.fakes.hosted import go_by_get, page
from tests.gateways.fakes.paypal_books import MAIL, MERCHANT_ID, Books, Refused, check_money, public, with_query
from tests.gateways.fakes.paypal_messages import WEBHOOK_ID
from tests.gateways.paypal_contract import contract

CLIENT_ID, CLIENT_SECRET = "fake-client", "fake-secret-that-nobody-may-see"
Handler = Callable[[Any, Request], Awaitable[Response]]


def route(handler: Handler) -> Handler:
    """Token, contract, replay and refusals: the same for every call."""

    @wraps(handler)
    async def handle(fake: "PayPalFake", request: Request) -> Response:
        body = await request.body()
        try:
            if request.headers.get("authorization", "") not in fake.tokens:
                raise Refused(401, "AUTHENTICATION_FAILURE")
            fake.hold_against_contract(request, body)
            key = (request.url.path, request.headers.get("paypal-request-id", ""))
            if key[1] and key in fake.answered:
                return JSONResponse(fake.answered[key], status_code=200)
            answer = await handler(fake, request)
        except Refused as refusal:
            return refusal.answer()
        if key[1] and answer.status_code == 201:
            fake.answered[key] = json.loads(bytes(answer.body))
        return answer

    return handle


class PayPalFake(Books):
    def routes(self) -> list[Route]:
        def post(path: str, handler: Any) -> Route:
            return Route(path, handler, methods=["POST"])

        return [
            post("/v1/oauth2/token", self.token),
            post("/v2/checkout/orders", self.create),
            Route("/v2/checkout/orders/{id}", self.show),
            post("/v2/checkout/orders/{id}/capture", self.take),
            post("/v2/checkout/orders/{id}/authorize", self.authorize),
            post("/v2/payments/authorizations/{id}/capture", self.take_authorized),
            post("/v2/payments/authorizations/{id}/void", self.void),
            post("/v2/payments/captures/{id}/refund", self.give_back),
            Route("/v2/payments/refunds/{id}", self.show_refund),
            post("/v1/notifications/verify-webhook-signature", self.check_message),
            Route("/v1/notifications/webhooks/{id}", self.show_webhook),
            Route("/v1/reporting/transactions", self.transactions),
            Route("/checkoutnow", self.page, methods=["GET", "POST"]),
        ]

    def hold_against_contract(self, request: Request, body: bytes) -> None:
        self.calls.append(f"{request.method} {request.url.path}")
        published = contract()
        if published is None:
            return
        problems = published.problems(request.method, request.url.path, dict(request.headers), body)
        if problems:
            self.violations += [f"{request.method} {request.url.path}: {each}" for each in problems]
            raise Refused(400, "INVALID_PARAMETER_VALUE")

    # What PayPal serves -------------------------------------------------------------------------

    @operation("TOKEN")
    async def token(self, request: Request) -> Response:
        self.calls.append("POST /v1/oauth2/token")
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client", "error_description": "No."}, status_code=401)
        if parse_qs((await request.body()).decode()) != {"grant_type": ["client_credentials"]}:
            return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
        word = f"A21AA-fake-token-{next(self.numbers)}"
        if not self.rules.get("no_token_lasts"):
            self.tokens.add(f"Bearer {word}")
        return JSONResponse({"access_token": word, "token_type": "Bearer", "expires_in": 32400, "scope": "x"})

    @operation("START")
    @route
    async def create(self, request: Request) -> Response:
        sent = await request.json()
        if sent.get("payment_source") and not request.headers.get("paypal-request-id"):
            raise Refused(400, "PAYPAL_REQUEST_ID_REQUIRED")
        unit = sent["purchase_units"][0]
        check_money(unit["amount"])
        order = {
            "id": self._id(),
            "intent": sent["intent"],
            "status": "PAYER_ACTION_REQUIRED" if sent.get("payment_source") else "CREATED",
            "payment_source": {"paypal": {}},
            "purchase_units": [{**unit, "payee": {"merchant_id": MERCHANT_ID}}],
            "experience": sent.get("payment_source", {}).get("paypal", {}).get("experience_context", {}),
        }
        rel = "payer-action" if sent.get("payment_source") else "approve"
        href = f"{str(request.base_url).rstrip('/')}/checkoutnow?token={order['id']}"
        order["links"] = [
            {"href": f"/v2/checkout/orders/{order['id']}", "rel": "self", "method": "GET"},
            {"href": href, "rel": rel, "method": "GET"},
        ]
        self.orders[order["id"]] = order
        return self._answer(request, self._told(order), 201)

    @operation("VERIFY")
    @route
    async def show(self, request: Request) -> Response:
        return JSONResponse(self._told(self._order(request)))

    @operation("CAPTURE")
    @route
    async def take(self, request: Request) -> Response:
        order = self._approved(request, "CAPTURE", "ORDER_ALREADY_CAPTURED")
        order["status"] = "COMPLETED"
        self._take(order, order["purchase_units"][0]["amount"])
        return self._answer(request, self._told(order), 201)

    @operation("CAPTURE")
    @route
    async def authorize(self, request: Request) -> Response:
        order = self._approved(request, "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED")
        order["status"] = "COMPLETED"
        made = {"id": self._id(), "status": "CREATED", "amount": order["purchase_units"][0]["amount"]}
        self.authorizations[made["id"]] = {**made, "order": order["id"]}
        self._payments(order)["authorizations"] = [self.authorizations[made["id"]]]
        self._tell(order, "PAYMENT.AUTHORIZATION.CREATED", "authorization", made)
        return self._answer(request, self._told(order), 201)

    @operation("CAPTURE")
    @route
    async def take_authorized(self, request: Request) -> Response:
        made = self._found(self.authorizations, request)
        refusals = {"CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED", "VOIDED": "AUTHORIZATION_VOIDED"}
        if made["status"] in refusals:
            raise Refused(422, refusals[made["status"]])
        sent = await request.json()
        amount = sent.get("amount", made["amount"])
        check_money(amount)
        if Decimal(amount["value"]) > Decimal(made["amount"]["value"]):
            raise Refused(422, "MAX_CAPTURE_AMOUNT_EXCEEDED")
        made["status"] = "CAPTURED" if sent.get("final_capture") else "PARTIALLY_CAPTURED"
        capture = self._take(self.orders[made["order"]], amount)
        return self._answer(request, capture, 201)

    @operation("CANCEL")
    @route
    async def void(self, request: Request) -> Response:
        made = self._found(self.authorizations, request)
        if made["status"] != "CREATED":
            raise Refused(422, f"PREVIOUSLY_{made['status']}")
        made["status"] = "VOIDED"
        order = self.orders[made["order"]]
        order["status"] = "VOIDED"
        self._tell(order, "PAYMENT.AUTHORIZATION.VOIDED", "authorization", made)
        return Response(status_code=204)

    @operation("REFUND")
    @route
    async def give_back(self, request: Request) -> Response:
        capture = self._found(self.captures, request)
        sent = await request.json()
        left = Decimal(capture["amount"]["value"]) - self._returned(capture)
        amount = sent.get("amount", {**capture["amount"], "value": str(left)})
        if self.refunds_refused:
            raise Refused(422, "REFUND_TIME_LIMIT_EXCEEDED")
        if capture["status"] == "PENDING":
            raise Refused(422, "PENDING_CAPTURE")
        if amount["currency_code"] != capture["amount"]["currency_code"]:
            raise Refused(422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
        if not left:
            raise Refused(422, "CAPTURE_FULLY_REFUNDED")
        check_money(amount)
        if Decimal(amount["value"]) > left:
            raise Refused(422, "REFUND_AMOUNT_EXCEEDED")
        refund = self._refund(capture, amount, sent.get("custom_id", ""))
        return self._answer(request, public(refund), 201)

    @operation("FIND_REFUND")
    @route
    async def show_refund(self, request: Request) -> Response:
        return JSONResponse(public(self._found(self.refunds, request)))

    @operation("CHECK")
    @route
    async def check_message(self, request: Request) -> Response:
        asked = (await request.body()).decode()
        told = "SUCCESS" if MAIL.verifies(asked) else "FAILURE"
        return JSONResponse({"verification_status": told})

    @route
    async def show_webhook(self, request: Request) -> Response:
        if request.path_params["id"] != WEBHOOK_ID:
            raise Refused(404, "INVALID_RESOURCE_ID")
        names = self.rules.get("webhook_events", ["*"])
        told = {"id": WEBHOOK_ID, "url": self.rules.get("webhook_url", "http://localhost:8000/webhooks/paypal/")}
        return JSONResponse({**told, "event_types": [{"name": name} for name in names]})

    async def transactions(self, request: Request) -> Response:
        """Transaction Search, which the three documents do not have: its rules are those of its own published one."""
        if request.headers.get("authorization", "") not in self.tokens:
            return Refused(401, "AUTHENTICATION_FAILURE").answer()
        if self.rules.get("no_search"):
            return Refused(403, "PERMISSION_DENIED", "NOT_AUTHORIZED").answer()
        asked = dict(request.query_params)
        begin, end = (datetime.strptime(asked[each], "%Y-%m-%dT%H:%M:%S%z") for each in ("start_date", "end_date"))
        size, page = int(asked.get("page_size", 100)), int(asked.get("page", 1))
        if not (timedelta(0) < end - begin <= timedelta(days=31) and 1 <= size <= 500 and page >= 1):
            return Refused(400, "INVALID_REQUEST").answer()
        rows = self.movements() if begin <= datetime.now(UTC) <= end else []
        told = rows[(page - 1) * size : page * size]
        return JSONResponse({"transaction_details": told, "page": page, "total_pages": -(-len(rows) // size)})

    async def page(self, request: Request) -> Response:
        """PayPal's page, as far as a frontend developer needs one to click through."""
        order = self.orders.get(request.query_params.get("token", ""))
        if order is None:
            return Response("no such order", status_code=404)
        if request.method == "GET":
            buttons = {"pay": "Pay", "decline": "Pay with a card that is declined", "cancel": "Cancel and go back"}
            amount = order["purchase_units"][0]["amount"]
            return page("PayPal", f"{amount['value']} {amount['currency_code']}", buttons)
        pressed = parse_qs((await request.body()).decode()).get("act", ["cancel"])[0]
        if pressed == "cancel":
            return go_by_get(with_query(order["experience"]["cancel_url"], token=order["id"]))
        self._approve(order, "INSTRUMENT_DECLINED" if pressed == "decline" else "")
        return go_by_get(with_query(order["experience"]["return_url"], token=order["id"], PayerID="FAKEPAYER1"))


if __name__ == "__main__":
    serve(PayPalFake())
