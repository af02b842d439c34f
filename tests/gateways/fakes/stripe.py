"""A proxy before localstripe: it checks every request against the SDK's types, and adds what localstripe has not.

PaymentIntents, captures, cancels, refunds, 3-D Secure, customers and SetupIntents are localstripe's own. Checkout
Sessions, idempotency, disputes, searches, the limit of refunds, and most events are made here.
"""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import stripe.params as of
import stripe.params.checkout as of_checkout
from starlette.applications import Starlette
from starlette.routing import Route

from tests.gateways.fakes.base import Fake, serve
from tests.gateways.fakes.localstripe import LocalStripe, Refused
from tests.gateways.fakes.stripe_api import ApiError, api, listed, missing, within
from tests.gateways.fakes.stripe_control import Control
from tests.gateways.fakes.stripe_objects import Object, Objects, new_id
from tests.gateways.fakes.stripe_pages import Pages
from tests.gateways.fakes.stripe_params import Wrong

HALF_AN_HOUR, A_DAY = 1800, 86400
SLACK_S = 60
FORWARDED = ("amount", "currency", "customer", "payment_method", "metadata", "capture_method")
ENDED = ("succeeded", "canceled")


class StripeFake(Control, Pages, Fake):
    def __init__(self) -> None:
        self.local: LocalStripe | None = None
        self.url = ""
        super().__init__()

    def forget(self) -> None:
        self.keys: dict[str, Any] = {}
        self.account_of: dict[str, str] = {}
        self.seen: list[Object] = []
        self.pending_refunds = False
        if self.local:
            self.local.forget()
            self.objects.forget()

    def application(self) -> Starlette:
        app = super().application()
        app.router.lifespan_context = self._lives
        return app

    @asynccontextmanager
    async def _lives(self, app: Starlette) -> AsyncIterator[None]:
        self.local = LocalStripe()
        self.objects = Objects(self.local, self.send if self.deliver else None)
        try:
            yield
        finally:
            self.local.stop()

    def routes(self) -> list[Route]:
        get, post = ["GET"], ["POST"]
        return [
            Route("/v1/payment_intents", self.create_intent, methods=post),
            Route("/v1/payment_intents/search", self.search_intents, methods=get),
            Route("/v1/payment_intents/{id}", self.retrieve_intent, methods=get),
            Route("/v1/payment_intents/{id}/capture", self.capture_intent, methods=post),
            Route("/v1/payment_intents/{id}/cancel", self.cancel_intent, methods=post),
            Route("/v1/checkout/sessions", self.create_session, methods=post),
            Route("/v1/checkout/sessions", self.list_sessions, methods=get),
            Route("/v1/checkout/sessions/{id}", self.retrieve_session, methods=get),
            Route("/v1/checkout/sessions/{id}/expire", self.expire_session, methods=post),
            Route("/v1/refunds", self.create_refund, methods=post),
            Route("/v1/refunds", self.list_refunds, methods=get),
            Route("/v1/refunds/{id}", self.retrieve_refund, methods=get),
            Route("/v1/disputes", self.list_disputes, methods=get),
            Route("/v1/balance_transactions", self.list_movements, methods=get),
            Route("/v1/customers", self.create_customer, methods=post),
            Route("/v1/customers/{id}/payment_methods", self.list_methods, methods=get),
            Route("/v1/customers/{id}/payment_methods/{method}", self.retrieve_method, methods=get),
            Route("/v1/payment_methods/{id}/detach", self.detach_method, methods=post),
            Route("/v1/setup_intents", self.create_setup, methods=post),
            Route("/c/pay/{id}", self.page, methods=[*get, *post]),
        ]

    # PaymentIntents -----------------------------------------------------------------------------------

    @api(of.PaymentIntentCreateParams, part_of="START")
    def create_intent(self, sent: Object) -> Object:
        if sent["amount"] < 50:
            raise ApiError(400, code="amount_too_small", param="amount", message="Amount must be at least $0.50 usd")
        if sent.get("return_url") and not sent.get("confirm"):
            raise Wrong("return_url", "return_url needs confirm.")
        made = self.local.post("/v1/payment_intents", **{name: sent.get(name) for name in FORWARDED})
        mine = ("description", "shipping", "setup_future_usage", "automatic_payment_methods")
        self.objects.more[made["id"]] = {name: sent.get(name) for name in mine} | {"metadata": sent.get("metadata", {})}
        payment_id = sent.get("metadata", {}).get("payment_id", "")
        self.objects.happen("payment_intent.created", self.objects.intent(made["id"]), payment_id)
        if sent.get("confirm"):
            self.confirm(made["id"])
        return self.objects.intent(made["id"], sent.get("expand", []))

    def confirm(self, intent_id: str) -> None:
        try:
            self.local.post(f"/v1/payment_intents/{intent_id}/confirm")
        except Refused as refused:
            self.objects.changed(intent_id)
            told = self.objects.intent(intent_id)
            error = told["last_payment_error"] | {"payment_intent": told}
            raise ApiError(402, "card_error", **{**error, "type": "card_error"}) from refused
        self.objects.changed(intent_id)

    @api(of.PaymentIntentSearchParams, part_of="VERIFY")
    def search_intents(self, sent: Object) -> Object:
        asked = re.fullmatch(r"metadata\['payment_id'\]:'([0-9a-f-]{36})'", sent["query"])
        if asked is None:
            raise ApiError(400, param="query", message="We were unable to parse your search query.")
        found = self.objects.intent_of(asked[1])
        rows = [self.objects.intent(found)] if found else []
        return {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "data": rows}

    @api(of.PaymentIntentRetrieveParams, part_of="VERIFY")
    def retrieve_intent(self, sent: Object, intent_id: str) -> Object:
        return self.objects.intent(self._known(intent_id), sent.get("expand", []))

    @api(of.PaymentIntentCaptureParams, part_of="CAPTURE")
    def capture_intent(self, sent: Object, intent_id: str) -> Object:
        told = self.objects.intent(self._known(intent_id))
        wanted = sent.get("amount_to_capture", told["amount"])
        if told["status"] != "requires_capture":
            message = f"This PaymentIntent could not be captured because it has a status of {told['status']}."
            raise ApiError(400, code="payment_intent_unexpected_state", message=message)
        if wanted > told["amount_capturable"]:
            raise ApiError(400, code="amount_too_large", param="amount_to_capture", message="Too much.")
        charge = told["latest_charge"]
        self.local.post(f"/v1/payment_intents/{intent_id}/capture", amount_to_capture=wanted)
        if wanted < told["amount"]:
            rows = self.local.get("/v1/refunds", charge=charge, limit=100)["data"]
            self.objects.released |= {row["id"] for row in rows}
        self.objects.changed(intent_id)
        return self.objects.intent(intent_id, sent.get("expand", []))

    @api(of.PaymentIntentCancelParams, part_of="CANCEL")
    def cancel_intent(self, sent: Object, intent_id: str) -> Object:
        told = self.objects.intent(self._known(intent_id))
        if told["status"] in (*ENDED, "processing"):
            message = f"You cannot cancel this PaymentIntent because it has a status of {told['status']}."
            raise ApiError(400, code="payment_intent_unexpected_state", message=message)
        self.local.post(f"/v1/payment_intents/{intent_id}/cancel")
        self.objects.more[intent_id]["cancellation_reason"] = sent.get("cancellation_reason")
        self.objects.changed(intent_id)
        return self.objects.intent(intent_id, sent.get("expand", []))

    # Checkout Sessions --------------------------------------------------------------------------------

    @api(of_checkout.SessionCreateParams, part_of="START")
    def create_session(self, sent: Object) -> Object:
        for name in ("mode", "line_items", "success_url"):
            if name not in sent:
                raise ApiError(400, param=name, message=f"Missing required param: {name}.")
        if "customer" in sent and "customer_email" in sent:
            raise ApiError(400, param="customer_email", message="You may only specify one of these parameters.")
        now = int(time.time())
        expires_at = sent.get("expires_at", now + A_DAY)
        if not now + HALF_AN_HOUR - SLACK_S <= expires_at <= now + A_DAY + SLACK_S:
            raise ApiError(400, param="expires_at", message="Between 30 minutes and 24 hours from now.")
        prices = [(line["price_data"], line["quantity"]) for line in sent["line_items"]]
        total = sum(price["unit_amount"] * quantity for price, quantity in prices)
        if total < 50:
            raise ApiError(400, code="amount_too_small", message="The total must be at least $0.50 usd.")
        session_id = new_id("cs_test")
        self.objects.sessions[session_id] = {
            "id": session_id,
            "object": "checkout.session",
            "url": f"{self.url}/c/pay/{session_id}",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": total,
            "currency": prices[0][0]["currency"],
            "created": now,
            "expires_at": expires_at,
            "livemode": False,
            "customer": sent.get("customer"),
            "client_reference_id": sent.get("client_reference_id"),
            "metadata": sent.get("metadata", {}),
            "success_url": sent["success_url"],
            "cancel_url": sent.get("cancel_url"),
            "_intent": sent.get("payment_intent_data", {}),
        }
        return self.objects.session(session_id, sent.get("expand", []))

    @api(of_checkout.SessionListParams, part_of="VERIFY")
    def list_sessions(self, sent: Object) -> Object:
        pages = [self.objects.session(each) for each in reversed(self.objects.sessions)]
        return listed([page for page in pages if within(page, sent.get("created"))], sent, "/v1/checkout/sessions")

    @api(of_checkout.SessionRetrieveParams, part_of="VERIFY")
    def retrieve_session(self, sent: Object, session_id: str) -> Object:
        if session_id not in self.objects.sessions:
            raise missing(session_id)
        return self.objects.session(session_id, sent.get("expand", []))

    @api(of_checkout.SessionExpireParams, part_of="CANCEL")
    def expire_session(self, sent: Object, session_id: str) -> Object:
        if session_id not in self.objects.sessions:
            raise missing(session_id)
        session = self.objects.sessions[session_id]
        if session["status"] != "open":
            raise ApiError(400, message="Only Checkout Sessions with a status in [open] can be expired.")
        self.end_session(session_id)
        return self.objects.session(session_id, sent.get("expand", []))

    # Money back, reports ------------------------------------------------------------------------------

    @api(of.RefundCreateParams, part_of="REFUND")
    def create_refund(self, sent: Object) -> Object:
        intent_id = self._known(sent["payment_intent"])
        told = self.objects.intent(intent_id, ["latest_charge"])
        if self.refunds_refused:
            raise ApiError(400, code="charge_disputed", message="This charge has been charged back.")
        if told["status"] != "succeeded":
            raise ApiError(400, message="This PaymentIntent does not have a successful charge to refund.")
        left = told["latest_charge"]["amount_captured"] - told["latest_charge"]["amount_refunded"]
        if left == 0:
            raise ApiError(400, code="charge_already_refunded", message="Charge has already been refunded.")
        amount = sent.get("amount", left)
        if not 0 < amount <= left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise ApiError(400, param="amount", message=message)
        made = self.local.post("/v1/refunds", payment_intent=intent_id, amount=amount, metadata=sent.get("metadata"))
        if self.pending_refunds:
            self.objects.refund_states[made["id"]] = {"status": "pending", "balance_transaction": None}
        self.tell_refund("refund.created", made["id"])
        return self.objects.refund(made["id"])

    @api(of.RefundListParams, part_of="FIND_REFUND")
    def list_refunds(self, sent: Object) -> Object:
        rows = self.objects.refunds_of(self._known(sent["payment_intent"]))
        return listed(rows, sent, "/v1/refunds")

    @api(of.RefundRetrieveParams, part_of="FIND_REFUND")
    def retrieve_refund(self, sent: Object, refund_id: str) -> Object:
        return self.objects.refund(refund_id)

    @api(of.DisputeListParams)
    def list_disputes(self, sent: Object) -> Object:
        rows = [each for each in self.objects.disputes.values() if each["payment_intent"] == sent["payment_intent"]]
        return listed(rows, sent, "/v1/disputes")

    @api(of.BalanceTransactionListParams)
    def list_movements(self, sent: Object) -> Object:
        rows = [row for row in self.objects.movements() if within(row, sent.get("created"))]
        if "data.source" not in sent.get("expand", []):
            rows = [{**row, "source": row["source"]["id"]} for row in rows]
        return listed(rows, sent, "/v1/balance_transactions")

    # Customers ----------------------------------------------------------------------------------------

    @api(of.CustomerCreateParams)
    def create_customer(self, sent: Object) -> Object:
        return self.local.post("/v1/customers", **sent)

    @api(of.CustomerPaymentMethodListParams)
    def list_methods(self, sent: Object, customer: str) -> Object:
        rows = self.local.get("/v1/payment_methods", customer=customer, type="card", limit=100)["data"]
        return listed(rows, sent, f"/v1/customers/{customer}/payment_methods")

    @api(of.CustomerPaymentMethodRetrieveParams)
    def retrieve_method(self, sent: Object, customer: str, method: str) -> Object:
        found = self.local.get(f"/v1/payment_methods/{method}")
        if found["customer"] != customer:
            raise missing(method)
        return found

    @api(of.PaymentMethodDetachParams)
    def detach_method(self, sent: Object, method: str) -> Object:
        if not self.local.get(f"/v1/payment_methods/{method}")["customer"]:
            raise ApiError(400, message="The payment method you provided is not attached to a customer.")
        return self.local.post(f"/v1/payment_methods/{method}/detach")

    @api(of.SetupIntentCreateParams)
    def create_setup(self, sent: Object) -> Object:
        return self.local.post("/v1/setup_intents", customer=sent["customer"], usage=sent.get("usage"))

    # --------------------------------------------------------------------------------------------------

    def _known(self, intent_id: str) -> str:
        if intent_id not in self.objects.more:
            raise missing(intent_id)
        return intent_id


if __name__ == "__main__":
    serve(StripeFake())
