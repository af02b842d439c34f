"""Paymob as its documents describe it: intentions, the old three steps, transactions, children, signed messages.

It shares no code with our adapter.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateways.fakes.base import operation, serve
from tests.gateways.fakes.hosted import Hosted, Mail, go_by_get, is_callback, page

SECRET_KEY = "egy_sk_test_kat0123456789"
PUBLIC_KEY = "egy_pk_test_kat0123456789"
API_KEY = "kat-api-key-secret"
HMAC_SECRET = "kat-paymob-hmac-secret"
INTEGRATION, AUTH_INTEGRATION = 4097001, 4097002
IFRAME = "55001"
OWNER = 302001
SIGNED = tuple(
    """amount_cents created_at currency error_occured has_parent_transaction id integration_id is_3d_secure is_auth
    is_capture is_refunded is_standalone_payment is_voided order.id owner pending source_data.pan source_data.sub_type
    source_data.type success""".split()  # noqa: SIM905
)
BILLING = ("first_name", "last_name", "email", "phone_number")
BILLING_OLD = (*BILLING, "apartment", "floor", "street", "building", "city", "state", "country", "postal_code")


def text(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def digest(obj: dict[str, Any], secret: str = HMAC_SECRET) -> str:
    flat = {**obj, "order.id": obj["order"]["id"], **{f"source_data.{k}": v for k, v in obj["source_data"].items()}}
    joined = "".join(text(flat.get(name)) for name in SIGNED)
    return hmac.new(secret.encode(), joined.encode(), hashlib.sha512).hexdigest()


@dataclass
class Order:
    id: int
    amount: int
    currency: str
    merchant_order_id: str
    integrations: list[int]
    notify: str
    back: str
    transactions: list[dict[str, Any]] = field(default_factory=list)


def refused(status: int, **body: Any) -> Response:
    return JSONResponse(body, status_code=status)


class PaymobFake(Hosted):
    def forget(self) -> None:
        super().forget()
        self.orders: dict[int, Order] = {}
        self.secrets: dict[str, int] = {}
        self.counter = self.first
        self.only_bearer = False
        self.texts = False
        self.pending_refunds = False

    def routes(self) -> list[Route]:
        change = "/api/acceptance"
        return [
            Route("/v1/intention/", self.intention, methods=["POST"]),
            Route("/unifiedcheckout/", self.checkout, methods=["GET", "POST"]),
            Route("/api/auth/tokens", self.tokens, methods=["POST"]),
            Route("/api/ecommerce/orders", self.old_order, methods=["POST"]),
            Route("/api/ecommerce/orders/transaction_inquiry", self.inquiry, methods=["POST"]),
            Route(f"{change}/payment_keys", self.payment_key, methods=["POST"]),
            Route(f"{change}/iframes/{{iframe}}", self.checkout, methods=["GET", "POST"]),
            Route(f"{change}/transactions/{{id}}", self.transaction, methods=["GET"]),
            Route(f"{change}/void_refund/refund", self.refund, methods=["POST"]),
            Route(f"{change}/void_refund/void", self.void, methods=["POST"]),
            Route(f"{change}/capture", self.capture, methods=["POST"]),
        ]

    # Beginning ------------------------------------------------------------------------------------

    @operation("START")
    async def intention(self, request: Request) -> Response:
        if not self._has_key(request):
            return refused(401, detail="Authentication credentials were not provided.")
        sent = await request.json()
        faults = self._faults(sent)
        if "integrations" in faults:
            return refused(404, detail="Integration ID/Name does not exist or is not of this mode.")
        if faults:
            return refused(400, **faults)
        urls = sent.get("notification_url", ""), sent.get("redirection_url", "")
        order = self._order(sent["amount"], sent["currency"], sent["special_reference"], sent["payment_methods"], urls)
        secret = f"egy_csk_test_{order.id:032d}"
        self.secrets[secret] = order.id
        body = {
            "id": f"pi_test_{order.id}", "client_secret": secret, "intention_order_id": order.id, "status": "intended",
            "special_reference": order.merchant_order_id, "confirmed": False, "object": "paymentintention",
            "intention_detail": {"amount": order.amount, "currency": order.currency, "items": sent.get("items", [])},
        }  # fmt: skip
        return JSONResponse(body, status_code=201)

    def _faults(self, sent: dict[str, Any]) -> dict[str, Any]:
        amount, items, billing = sent.get("amount"), sent.get("items", []), sent.get("billing_data")
        urls = [sent[name] for name in ("notification_url", "redirection_url") if sent.get(name)]
        whole = isinstance(amount, int) and not isinstance(amount, bool) and amount > 0
        methods = sent.get("payment_methods")
        checks = {
            "amount": whole and (not items or sum(each["amount"] * each["quantity"] for each in items) == amount),
            "currency": sent.get("currency") == "EGP",
            "billing_data": isinstance(billing, dict) and all(billing.get(name) for name in BILLING),
            "special_reference": self._is_new(sent.get("special_reference")),
            "notification_url": all(is_callback(url) for url in urls),
            "integrations": bool(methods) and set(methods) <= {INTEGRATION, AUTH_INTEGRATION},
            "expiration": isinstance(sent.get("expiration", 3600), int),
        }
        return {name: ["Not valid."] for name, holds in checks.items() if not holds}

    def _is_new(self, reference: Any) -> bool:
        known = {order.merchant_order_id for order in self.orders.values()}
        return isinstance(reference, str) and bool(reference) and reference not in known

    def _order(
        self, amount: int, currency: str, reference: str, integrations: list[int], urls: tuple[str, str]
    ) -> Order:
        self.counter += 1
        order = Order(717_000_000 + self.counter, amount, currency, reference, integrations, *urls)
        self.orders[order.id] = order
        return order

    async def tokens(self, request: Request) -> Response:
        if (await request.json()).get("api_key") != API_KEY:
            return refused(403, detail="incorrect credentials")
        self.counter += 1
        self.token = f"token-{self.counter}"
        return JSONResponse({"token": self.token, "profile": {"id": OWNER}}, status_code=201)

    @operation("START")
    async def old_order(self, request: Request) -> Response:
        sent = await request.json()
        if sent.get("auth_token") != getattr(self, "token", ""):
            return refused(401, detail="Unauthorized")
        if not isinstance(sent.get("amount_cents"), int) or sent.get("delivery_needed") != "false":
            return refused(400, amount_cents=["A valid integer is required."])
        if not self._is_new(sent.get("merchant_order_id")):
            return refused(422, message="duplicate")
        order = self._order(sent["amount_cents"], sent["currency"], sent["merchant_order_id"], [], ("", ""))
        return JSONResponse({"id": order.id, "amount_cents": order.amount}, status_code=201)

    async def payment_key(self, request: Request) -> Response:
        sent = await request.json()
        order = self.orders.get(sent.get("order_id"))
        if sent.get("auth_token") != getattr(self, "token", "") or order is None:
            return refused(401, detail="Unauthorized")
        billing = sent.get("billing_data", {})
        if not all(billing.get(name) for name in BILLING_OLD) or sent["amount_cents"] != order.amount:
            return refused(400, billing_data={"all": ["This field is required."]})
        if sent.get("integration_id") != INTEGRATION:
            return refused(404, detail="Integration ID does not exist")
        order.integrations = [sent["integration_id"]]
        self.secrets[f"key-{order.id}"] = order.id
        return JSONResponse({"token": f"key-{order.id}"}, status_code=201)

    # Questions and changes ------------------------------------------------------------------------

    def _has_key(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Token {SECRET_KEY}"

    def _may_ask(self, request: Request) -> bool:
        bearer = request.headers.get("authorization") == f"Bearer {getattr(self, 'token', None)}"
        return bearer or (self._has_key(request) and not self.only_bearer)

    def _find(self, identifier: Any) -> tuple[Order, dict[str, Any]] | None:
        made = ((order, each) for order in self.orders.values() for each in order.transactions)
        return next(((order, each) for order, each in made if str(each["id"]) == str(identifier)), None)

    @operation("VERIFY")
    async def transaction(self, request: Request) -> Response:
        if not self._may_ask(request):
            return refused(401, detail="Unauthorized")
        found = self._find(request.path_params["id"])
        return self._told(found[1]) if found else refused(404, detail="Not found.")

    @operation("VERIFY")
    async def inquiry(self, request: Request) -> Response:
        """The latest transaction of an order, a child too."""
        if not self._may_ask(request):
            return refused(401, detail="Unauthorized")
        order = self.orders.get((await request.json()).get("order_id"))
        return self._told(order.transactions[-1]) if order and order.transactions else refused(404, detail="Not found.")

    def _told(self, obj: dict[str, Any], status: int = 200) -> Response:
        """Bare; or in an envelope, with booleans as texts, as the old documents show it."""
        if not self.texts:
            return JSONResponse(obj, status_code=status)
        written = {name: text(value) if isinstance(value, bool) else value for name, value in obj.items()}
        return JSONResponse({"type": "TRANSACTION", "obj": written}, status_code=status)

    @operation("REFUND")
    async def refund(self, request: Request) -> Response:
        sent = await request.json()
        found = self._find(sent.get("transaction_id"))
        if not self._has_key(request) or found is None:
            return refused(401 if not self._has_key(request) else 404, detail="Not found.")
        order, parent = found
        left = (parent["captured_amount"] or parent["amount_cents"]) - parent["refunded_amount_cents"]
        amount = sent.get("amount_cents")
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= left:
            return refused(400, amount_cents=["Full amount has already been refunded or amount is too much"])
        if not parent["success"] or parent["is_voided"] or parent["has_parent_transaction"]:
            return refused(400, message="Transaction can not be refunded")
        if self.refunds_refused:
            child = self._child(order, parent, amount, is_refund=True, success=False)
            return self._told(child)
        return self._told(self._give_back(order, parent, amount), 201)

    def _give_back(self, order: Order, parent: dict[str, Any], amount: int) -> dict[str, Any]:
        child = self._child(order, parent, amount, is_refund=True, pending=self.pending_refunds)
        parent["refunded_amount_cents"] += amount
        parent["is_refunded"] = True
        self._send(order, child)
        return child

    @operation("CANCEL")
    async def void(self, request: Request) -> Response:
        found = self._find((await request.json()).get("transaction_id"))
        if not self._has_key(request) or found is None:
            return refused(404, detail="Not found.")
        order, parent = found
        if parent["is_voided"] or parent["is_captured"] or parent["is_refunded"]:
            return refused(400, message="Transaction can not be voided")
        parent["is_voided"] = True
        return self._told(self._child(order, parent, parent["amount_cents"], is_void=True), 201)

    @operation("CAPTURE")
    async def capture(self, request: Request) -> Response:
        sent = await request.json()
        found = self._find(sent.get("transaction_id"))
        if not self._has_key(request) or found is None:
            return refused(404, detail="Not found.")
        order, parent = found
        fits = isinstance(sent.get("amount_cents"), int) and 0 < sent["amount_cents"] <= parent["amount_cents"]
        if not parent["is_auth"] or parent["is_captured"] or parent["is_voided"] or not fits:
            return refused(400, message="Transaction can not be captured")
        parent["is_captured"], parent["captured_amount"] = True, sent["amount_cents"]
        return self._told(self._child(order, parent, sent["amount_cents"], is_capture=True), 201)

    # Transactions and messages --------------------------------------------------------------------

    def _make(self, order: Order, **changed: Any) -> dict[str, Any]:
        self.counter += 1
        integration = order.integrations[0]
        made = {
            "id": 512_340_000 + self.counter, "pending": False, "amount_cents": order.amount, "success": True,
            "is_auth": integration == AUTH_INTEGRATION, "is_capture": False,
            "is_standalone_payment": integration != AUTH_INTEGRATION, "is_voided": False, "is_refunded": False,
            "is_3d_secure": True, "integration_id": integration, "profile_id": OWNER, "has_parent_transaction": False,
            "order": {"id": order.id, "merchant_order_id": order.merchant_order_id, "amount_cents": order.amount},
            "created_at": "2026-01-15T10:20:30.123456", "currency": order.currency,
            "source_data": {"pan": "2346", "type": "card", "sub_type": "MasterCard"}, "is_void": False,
            "is_refund": False, "data": {"message": "Approved", "txn_response_code": "APPROVED"},
            "error_occured": False, "is_live": False, "refunded_amount_cents": 0, "is_captured": False,
            "captured_amount": 0, "owner": OWNER, "parent_transaction": None,
        } | changed  # fmt: skip
        order.transactions.append(made)
        return made

    def _child(self, order: Order, parent: dict[str, Any], amount: int, **changed: Any) -> dict[str, Any]:
        about = {"has_parent_transaction": True, "parent_transaction": parent["id"], "is_standalone_payment": False}
        return self._make(order, amount_cents=amount, is_auth=False, **about, **changed)

    def _act(self, order: Order, act: str) -> dict[str, Any]:
        if act == "decline":
            data = {"message": "Do not honour", "txn_response_code": "INSUFFICIENT_FUNDS"}
            made = self._make(order, success=False, data=data)
        elif act == "pending":
            made = self._make(order, success=False, pending=True)
        else:
            waiting = next((each for each in order.transactions if each["pending"]), None)
            made = waiting or self._make(order)
            made.update(pending=False, success=True)
        self._send(order, made)
        return made

    def _send(self, order: Order, obj: dict[str, Any]) -> None:
        body = json.dumps({"type": "TRANSACTION", "obj": obj})
        self.send(Mail(str(order.id), order.notify, body, "application/json", {"hmac": digest(obj)}))

    def _query(self, obj: dict[str, Any]) -> dict[str, str]:
        """As the browser brings it back: flat, dotted, texts."""
        plain = {name: text(value) for name, value in obj.items() if not isinstance(value, dict) and value is not None}
        source = {f"source_data.{name}": str(value) for name, value in obj["source_data"].items()}
        ids = {"order": str(obj["order"]["id"]), "merchant_order_id": obj["order"]["merchant_order_id"]}
        return plain | source | ids | {"data.message": obj["data"]["message"], "hmac": digest(obj)}

    async def checkout(self, request: Request) -> Response:
        query = request.query_params
        secret = query.get("payment_token") or query.get("clientSecret", "")
        known = query.get("payment_token") or query.get("publicKey") == PUBLIC_KEY
        order = self.orders.get(self.secrets.get(secret, 0))
        if order is None or not known:
            return Response(status_code=404)
        if request.method == "GET":
            buttons = {"pay": "Pay", "decline": "Decline", "pending": "Pay later"}
            return page("Paymob", f"{order.amount / 100:.2f} {order.currency}", buttons)
        made = self._act(order, str((await request.form()).get("act")))
        return go_by_get(f"{order.back}{'&' if '?' in order.back else '?'}{urlencode(self._query(made))}")

    # Tests ----------------------------------------------------------------------------------------

    def _known(self, sent: dict[str, Any]) -> Order:
        return self.orders[int(sent["reference"])]

    def control_act(self, sent: dict[str, Any]) -> Any:
        return self._act(self._known(sent), sent["act"])["id"]

    def control_returns(self, sent: dict[str, Any]) -> Any:
        order = self._known(sent)
        return self._query(order.transactions[-1]) if order.transactions else {}

    def control_misreport(self, sent: dict[str, Any]) -> Any:
        order = self._known(sent)
        for each in order.transactions:
            each["amount_cents"] += sent["amount_off"]
            each["currency"] = sent["currency"] or each["currency"]
        self.mail = [each for each in self.mail if each.about != str(order.id)]
        self._send(order, order.transactions[-1])

    def control_change(self, sent: dict[str, Any]) -> Any:
        """Change the payment's transaction, as only the gateway can; the new message is signed."""
        order = self._known(sent)
        obj = order.transactions[-1]
        obj.update(sent["fields"])
        self.mail = [each for each in self.mail if each.about != str(order.id)]
        self._send(order, obj)

    def control_dashboard_refund(self, sent: dict[str, Any]) -> Any:
        order = self._known(sent)
        parent = next(each for each in order.transactions if each["success"])
        return self._give_back(order, parent, sent["amount"])["id"]

    def control_set(self, sent: dict[str, Any]) -> Any:
        for name, value in sent.items():
            setattr(self, name, value)

    def control_finish_refunds(self, sent: dict[str, Any]) -> Any:
        for order in self.orders.values():
            for each in order.transactions:
                each["pending"] = each["pending"] and not each["is_refund"]

    def control_sums(self, sent: dict[str, Any]) -> Any:
        paid = [
            each for each in self._known(sent).transactions if each["success"] and not each["has_parent_transaction"]
        ]
        taken = sum(each["captured_amount"] if each["is_auth"] else each["amount_cents"] for each in paid)
        return {"taken": taken, "given_back": sum(each["refunded_amount_cents"] for each in paid)}


if __name__ == "__main__":
    serve(PaymobFake())
