"""What the PayPal double knows, and what tests make happen there."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.gateways.fakes.base import Fake
from tests.gateways.fakes.paypal_messages import Mailroom

MERCHANT_ID = "FAKEMERCHANT1"
DIGITS = {"HUF": 0, "JPY": 0, "TWD": 0}
_CODES = "AUD CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PHP PLN SEK SGD THB TWD USD"
CURRENCIES = set(_CODES.split(" "))
CENT = Decimal("0.01")
MAIL = Mailroom()
"""Once a process: keys take a moment to make."""


class Refused(Exception):
    def __init__(self, status: int, issue: str, name: str = "") -> None:
        super().__init__(issue)
        names = {400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILURE", 404: "RESOURCE_NOT_FOUND"}
        self.status, self.issue = status, issue
        self.name = name or names.get(status, "UNPROCESSABLE_ENTITY")

    def answer(self) -> Response:
        details = [{"issue": self.issue, "description": "See the documentation."}]
        told = {"name": self.name, "message": "It failed.", "debug_id": "f0a1b2c3d4e5", "details": details}
        return JSONResponse(told, status_code=self.status, headers={"Paypal-Debug-Id": "f0a1b2c3d4e5"})


class Books(Fake):
    def forget(self) -> None:
        self.tokens: set[str] = set()
        self.orders: dict[str, dict[str, Any]] = {}
        self.captures: dict[str, dict[str, Any]] = {}
        self.authorizations: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.answered: dict[tuple[str, str], Any] = {}
        self.outbox: list[tuple[str, dict[str, Any]]] = []
        self.violations: list[str] = []
        self.sending: set[asyncio.Task[None]] = set()
        self.calls: list[str] = []
        self.numbers = count(self.first + 1)
        self.rules: dict[str, Any] = {}
        self.wrong: dict[str, tuple[str, str]] = {}

    # What tests do ------------------------------------------------------------------------------

    def control_approve(self, sent: dict[str, Any]) -> None:
        self._approve(self._ours(sent), sent.get("refusal", ""))

    def control_rule(self, sent: dict[str, Any]) -> None:
        """Change how it behaves: no_token_lasts, slow_refunds, capture_status, conflict, forget_keys."""
        if sent.pop("forget_keys", False):
            self.answered.clear()
        self.rules.update(sent)

    def control_drop_tokens(self, sent: dict[str, Any]) -> None:
        self.tokens.clear()

    def control_misreport(self, sent: dict[str, Any]) -> None:
        self.wrong[self._ours(sent)["id"]] = (sent["value"], sent["currency"])

    def control_change(self, sent: dict[str, Any]) -> None:
        """Something happens at PayPal: an order is forgotten, a capture is settled or doubted."""
        order = self._ours(sent)
        if sent.get("forgotten"):
            del self.orders[order["id"]]
        for capture in self._payments(order).get("captures", []):
            capture.update(sent.get("capture", {}))
            if "tell" in sent:
                self._tell(order, sent["tell"], "capture", capture)

    def control_refund_there(self, sent: dict[str, Any]) -> str:
        """The merchant gives money back in PayPal's own pages."""
        order = self._ours(sent)
        capture = self.captures[self._payments(order)["captures"][0]["id"]]
        amount = {"currency_code": capture["amount"]["currency_code"], "value": sent["value"]}
        return str(self._refund(capture, amount, "")["id"])

    def control_dispute(self, sent: dict[str, Any]) -> None:
        order = self._ours(sent)
        capture = self._payments(order)["captures"][0]
        about = {"seller_transaction_id": capture["id"], "seller": {"merchant_id": MERCHANT_ID}}
        resource = {
            "dispute_id": "PP-D-4012",
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "dispute_amount": capture["amount"],
            "seller_response_due_date": "2026-02-01T00:00:00.000Z",
            "disputed_transactions": [about],
            **sent["dispute"],
        }
        self._tell(order, sent["kind"], "dispute", resource)

    def control_tell(self, sent: dict[str, Any]) -> None:
        self._tell(self._ours(sent), sent["kind"], sent["resource_type"], sent["resource"])

    def control_messages(self, sent: dict[str, Any]) -> list[Any]:
        order = self._ours(sent)["id"]
        due = [event for about, event in self.outbox if about == order]
        self.outbox = [each for each in self.outbox if each[0] != order]
        bodies = [json.dumps(event) for event in due]
        return [{"body": body, "headers": MAIL.sign(body.encode())} for body in bodies]

    def control_sign(self, sent: dict[str, Any]) -> dict[str, str]:
        return MAIL.sign(sent["body"].encode())

    def control_finish_refunds(self, sent: dict[str, Any]) -> None:
        for refund in self.refunds.values():
            if refund["status"] == "PENDING":
                refund["status"] = sent.get("as", "COMPLETED")
                self._weigh(self.captures[refund["capture"]])

    def control_trust(self, sent: dict[str, Any]) -> None:
        MAIL.trust(**sent)

    def control_sums(self, sent: dict[str, Any]) -> list[str]:
        captures = self._payments(self._ours(sent)).get("captures", [])
        taken = [Decimal(each["amount"]["value"]) for each in captures if each["status"] not in ("PENDING", "DECLINED")]
        returned = sum((self._returned(self.captures[each["id"]]) for each in captures), Decimal())
        return [str(sum(taken, Decimal())), str(returned)]

    def control_violations(self, sent: dict[str, Any]) -> list[str]:
        return self.violations

    def control_calls(self, sent: dict[str, Any]) -> list[str]:
        return self.calls

    # Its books ----------------------------------------------------------------------------------

    def _ours(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The latest order with that custom id."""
        made = [each for each in self.orders.values() if each["purchase_units"][0].get("custom_id") == sent["payment"]]
        return made[-1]

    def _order(self, request: Request) -> dict[str, Any]:
        return self._found(self.orders, request)

    def _found(self, among: dict[str, dict[str, Any]], request: Request) -> dict[str, Any]:
        if request.path_params["id"] not in among:
            raise Refused(404, "INVALID_RESOURCE_ID")
        return among[request.path_params["id"]]

    def _approved(self, request: Request, intent: str, already: str) -> dict[str, Any]:
        order = self._order(request)
        if self.rules.get("conflict"):
            raise Refused(409, "PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT")
        if order["intent"] != intent:
            raise Refused(422, "ACTION_DOES_NOT_MATCH_INTENT")
        if order["status"] == "COMPLETED":
            raise Refused(422, already)
        if order["status"] != "APPROVED":
            raise Refused(422, "ORDER_NOT_APPROVED")
        refusal = order.pop("refusal", "")
        if refusal:
            if refusal == "PAYER_ACTION_REQUIRED":
                order["status"] = refusal
            raise Refused(422, refusal)
        return order

    def _approve(self, order: dict[str, Any], refusal: str = "") -> None:
        if order["status"] in ("CREATED", "PAYER_ACTION_REQUIRED", "APPROVED"):
            order.update(status="APPROVED", refusal=refusal)
            self._tell(order, "CHECKOUT.ORDER.APPROVED", "checkout-order", self._told(order))

    def _take(self, order: dict[str, Any], amount: dict[str, str]) -> dict[str, Any]:
        status = self.rules.get("capture_status", "COMPLETED")
        fee = {**amount, "value": "0" if DIGITS.get(amount["currency_code"]) == 0 else "0.59"}
        capture = {
            "id": self._id(),
            "status": status,
            "amount": amount,
            "final_capture": True,
            "custom_id": order["purchase_units"][0].get("custom_id", ""),
            "seller_receivable_breakdown": {"gross_amount": amount, "paypal_fee": fee},
            "supplementary_data": {"related_ids": {"order_id": order["id"]}},
            **({"status_details": {"reason": "PENDING_REVIEW"}} if status == "PENDING" else {}),
        }
        self.captures[capture["id"]] = capture
        self._payments(order).setdefault("captures", []).append(capture)
        self._tell(order, f"PAYMENT.CAPTURE.{status}", "capture", capture)
        return capture

    def _refund(self, capture: dict[str, Any], amount: dict[str, str], custom_id: str) -> dict[str, Any]:
        status = "PENDING" if self.rules.get("slow_refunds") else "COMPLETED"
        refund = {
            "id": self._id(),
            "status": status,
            "amount": amount,
            "capture": capture["id"],
            "links": [{"rel": "up", "href": f"https://api.sandbox.paypal.com/v2/payments/captures/{capture['id']}"}],
            **({"custom_id": custom_id} if custom_id else {}),
        }
        self.refunds[refund["id"]] = refund
        order = self.orders[capture["supplementary_data"]["related_ids"]["order_id"]]
        self._payments(order).setdefault("refunds", []).append(refund)
        self._weigh(capture)
        self._tell(order, "PAYMENT.CAPTURE.REFUNDED", "refund", public(refund))
        return refund

    def _returned(self, capture: dict[str, Any]) -> Decimal:
        mine = (each for each in self.refunds.values() if each["capture"] == capture["id"])
        return sum((Decimal(each["amount"]["value"]) for each in mine if each["status"] == "COMPLETED"), Decimal())

    def _weigh(self, capture: dict[str, Any]) -> None:
        returned = self._returned(capture)
        if returned:
            all_of_it = returned == Decimal(capture["amount"]["value"])
            capture["status"] = "REFUNDED" if all_of_it else "PARTIALLY_REFUNDED"

    def movements(self) -> list[dict[str, Any]]:
        """What moved the account's balance, as Transaction Search lists it."""
        taken = [("T0006", each, "") for each in self.captures.values()]
        returned = [("T1107", each, "-") for each in self.refunds.values()]
        return [
            {
                "transaction_info": {
                    "transaction_id": each["id"],
                    "transaction_event_code": code,
                    "transaction_initiation_date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000"),
                    "transaction_amount": {**each["amount"], "value": f"{sign}{each['amount']['value']}"},
                    "transaction_status": "P" if each["status"] == "PENDING" else "S",
                    "custom_field": each.get("custom_id", ""),
                }
            }
            for code, each, sign in taken + returned
        ]

    def _payments(self, order: dict[str, Any]) -> dict[str, Any]:
        payments: dict[str, Any] = order["purchase_units"][0].setdefault("payments", {})
        return payments

    def _told(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as PayPal tells of it, wrong where a test wants that."""
        told: dict[str, Any] = json.loads(json.dumps(public(order)))
        if order["id"] in self.wrong:
            value, currency = self.wrong[order["id"]]
            unit = told["purchase_units"][0]
            for part in (unit, *unit.get("payments", {}).get("captures", [])):
                part["amount"] = {"currency_code": currency, "value": value}
        return told

    def _answer(self, request: Request, told: dict[str, Any], status: int) -> Response:
        if request.headers.get("prefer") != "return=representation":
            told = {key: told[key] for key in ("id", "status", "links") if key in told}
        return JSONResponse(told, status_code=status)

    def _tell(self, order: dict[str, Any], kind: str, resource_type: str, resource: dict[str, Any]) -> None:
        event = {
            "id": f"WH-{next(self.numbers):017d}",
            "event_version": "1.0",
            "create_time": "2026-01-15T10:20:30.000Z",
            "resource_type": resource_type,
            "event_type": kind,
            "resource": json.loads(json.dumps(resource)),
        }
        if not self.deliver:
            self.outbox.append((order["id"], event))
            return
        # The real one has the address from the dashboard; here it is where the buyer comes back to.
        shop = httpx.URL(order["experience"]["return_url"]).copy_with(raw_path=b"/webhooks/paypal/")
        task = asyncio.get_running_loop().create_task(_post(shop, json.dumps(event).encode()))
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)

    def _id(self) -> str:
        return f"{next(self.numbers):013d}FAKE"


async def _post(url: httpx.URL, body: bytes) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        await client.post(url, content=body, headers={**MAIL.sign(body), "content-type": "application/json"})


def public(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in ("experience", "refusal", "capture", "order")}


def with_query(url: str, **query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def check_money(amount: dict[str, Any]) -> None:
    currency, value = amount["currency_code"], amount["value"]
    if not isinstance(value, str):
        raise Refused(400, "INVALID_PARAMETER_SYNTAX")
    if currency not in CURRENCIES:
        raise Refused(422, "INVALID_CURRENCY_CODE")
    if Decimal(value) <= 0:
        raise Refused(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    if DIGITS.get(currency) == 0 and "." in value:
        raise Refused(422, "DECIMALS_NOT_SUPPORTED")
    if Decimal(value) != Decimal(value).quantize(CENT):
        raise Refused(422, "DECIMAL_PRECISION")
