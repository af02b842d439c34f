"""Paymob's intentions: a hosted page, messages signed by HMAC, and questions about transactions.

A signed message about a payment is believed as far as its signature reaches. What that does not cover (refunds, voids,
captures) is asked for.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from backend.payments.gateways.base import (
    Account,
    Capabilities,
    CaptureMode,
    ChargeReport,
    ErrorCode,
    Flow,
    GatewayMessage,
    GatewayRefused,
    GatewayUnavailable,
    IncomingMessage,
    PaymentRef,
    RefundOutcome,
    RefundRefused,
    RefundReport,
    RefundRequest,
    SignatureInvalid,
    Started,
    StartRequest,
)
from backend.payments.gateways.optional import Finding
from backend.payments.gateways.paymob import checking, signing
from backend.payments.gateways.paymob.door import PaymobDoor, refusal
from backend.payments.gateways.paymob.legacy import start_by_iframe
from backend.payments.gateways.paymob.reading import Rules, flag, nothing_yet, order_of, report, unwrapped
from backend.payments.gateways.paymob.sending import billing_data

_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT")


class PaymobGateway:
    id = "paymob"
    name = "Paymob"
    capabilities = Capabilities(flow=Flow.REDIRECT, cancel=True, idempotent_refunds=False, checks=True)

    def __init__(self, account: Account) -> None:
        self.account = account
        self._address = account["api_url"].rstrip("/")
        self._door = PaymobDoor(account)
        self._integrations, self._setting_aside = _ids(account["integrations"]), _ids(account["auth_integrations"])
        mode = account["secret_key"][7:11]
        known = [*self._integrations, *self._setting_aside]
        self._rules = Rules(
            integrations=frozenset(map(str, known)) if all(isinstance(each, int) for each in known) else frozenset(),
            live={"live": True, "test": False}.get(mode),
            digits=int(account["digits"]) if account["digits"] else None,
            expires=timedelta(seconds=int(account["expiration_s"])),
        )
        self.merchant_account = f"paymob {mode}" if mode in ("live", "test") else "paymob"
        self.capabilities = replace(
            PaymobGateway.capabilities,
            currencies=frozenset({account["currency"]}),
            manual_capture=bool(self._setting_aside),
        )

    def start(self, request: StartRequest) -> Started:
        """Every call makes an order of its own: a reference that comes again is refused. A lost order is never paid."""
        try:
            cents = self._rules.cents(request.amount, request.currency)
        except ValueError as error:
            raise GatewayRefused("Paymob cannot write this amount.", code=ErrorCode.INVALID_AMOUNT) from error
        aside = request.capture is CaptureMode.MANUAL
        integrations = self._setting_aside if aside else self._integrations
        reference = f"{request.payment_id}-{secrets.token_hex(3)}"
        if self.account["iframe_id"]:
            return start_by_iframe(self._door, self.account, request, cents, reference, integrations[0])
        sent = {
            "amount": cents,
            "currency": request.currency,
            "payment_methods": integrations,
            "billing_data": billing_data(request),
            "items": [{"name": request.order_number[:50] or "Order", "amount": cents, "quantity": 1}],
            "special_reference": reference,
            "notification_url": request.webhook_url,
            "redirection_url": request.callback_url,
            "expiration": int(self._rules.expires.total_seconds()),
        }
        answer = self._door.post("/v1/intention/", sent)
        told = self._door.json(answer)
        if answer.status_code >= 400:
            code, own = refusal(answer, told)
            raise GatewayRefused("Paymob refused to begin.", code=code, gateway_code=own)
        order_id, client_secret = str(told.get("intention_order_id") or ""), str(told.get("client_secret") or "")
        if not order_id or not client_secret:
            raise GatewayUnavailable("paymob gave no order")
        keys = urlencode({"publicKey": self.account["public_key"], "clientSecret": client_secret})
        page = f"{self._address}/unifiedcheckout/?{keys}"
        return Started(
            reference=order_id,
            next_action={"type": "REDIRECT", "url": page},
            data={"intention": str(told.get("id") or "")},
        )

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        """What a signed message says of the payment itself; else what Paymob answers about transaction or order."""
        if not payment.reference:
            return None  # the answer to start was lost: nobody has that order's page
        signed = _signed(payment)
        if signed is not None and self._rules.fits(signed):
            return report(payment, self._with_reason(payment, signed), self._rules)
        transaction = self._transaction(payment)
        return report(payment, transaction, self._rules) if transaction else nothing_yet(payment, self._rules)

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        """Paymob knows no keys: what was taken already is looked for first."""
        return self._change(payment, "capture", amount)

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        return self._change(payment, "void_refund/void", None)

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        sent = {
            "transaction_id": _number(payment.capture_id),
            "amount_cents": self._rules.cents(refund.amount, refund.currency),
        }
        answer = self._door.post("/api/acceptance/void_refund/refund", sent)
        told = self._door.json(answer)
        if answer.status_code >= 400:
            code, own = refusal(answer, told)
            code = {
                ErrorCode.INVALID_AMOUNT: ErrorCode.REFUND_TOO_LARGE,
                ErrorCode.INVALID_REQUEST: ErrorCode.NOT_REFUNDABLE,
            }.get(code, code)
            raise RefundRefused("Paymob refused the refund.", code=code, gateway_code=own)
        made = _refund_report(refund, unwrapped(told))
        if made.outcome is RefundOutcome.FAILED:
            raise RefundRefused("Paymob could not make the refund.", gateway_code=made.gateway_code)
        return made

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        """By its own id; one whose answer was lost by what the payment says went back, beyond what the ledger has."""
        if refund.reference.isdigit():
            told = self._door.ask("GET", f"/api/acceptance/transactions/{refund.reference}")
            if told is None:
                raise GatewayUnavailable("paymob does not know a refund that it told of")
            return _refund_report(refund, unwrapped(told))
        transaction = self._transaction(payment)
        if transaction is None:
            raise GatewayUnavailable("paymob does not know the payment of a refund")
        returned = report(payment, transaction, self._rules).amount_refunded
        if returned is None:
            raise GatewayUnavailable("paymob does not tell what went back")
        more = returned - payment.refunded
        if more <= 0:
            return None
        if more != refund.amount:
            raise GatewayUnavailable("paymob gave back another amount")
        return RefundReport(
            reference=f"{payment.capture_id}:refunded:{returned}",
            outcome=RefundOutcome.SUCCEEDED,
            amount=refund.amount,
            currency=refund.currency,
            refund_id=str(refund.refund_id),
        )

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        """Which transaction to ask about, if it is signed."""
        values = signing.of_query(sent)
        transaction = values["id"] or ""
        if not transaction.isdigit() or values["order.id"] != payment.reference:
            return {}
        signed = signing.is_signed(values, self.account["hmac_secret"], sent.get("hmac", ""))
        return {"transaction": transaction} if signed and values["has_parent_transaction"] == "false" else {}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        sent = _read(message)
        fields = signing.CARD_FIELDS if sent["type"] == "TOKEN" else signing.FIELDS
        values = signing.of_object(sent["obj"], fields)
        if not signing.is_signed(values, self.account["hmac_secret"], message.query.get("hmac", "")):
            raise SignatureInvalid
        if sent["type"] != "TOKEN" and not self._rules.fits(sent["obj"]):
            raise SignatureInvalid("signed, but of another integration, or of the other mode")
        return self.read_webhook(message)

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """The payment is named by the order's id alone: our own id beside it is not signed."""
        sent = _read(message)
        digest = message.query.get("hmac", "")[:64]
        if sent["type"] == "TOKEN":
            return GatewayMessage(event_id=f"token:{digest}", kind="TOKEN")
        values = signing.of_object(sent["obj"])
        return GatewayMessage(
            event_id=f"{values['id']}:{digest}",
            reference=values["order.id"] or "",
            kind=_kind(values),
            data=_hint(sent["obj"], values),
        )

    def is_live(self) -> bool:
        return checking.is_live(self.account)

    def check(self) -> Iterator[Finding]:
        return checking.check(self._door, self.account)

    def _with_reason(self, payment: PaymentRef, signed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Why a card was declined is not signed: Paymob is asked, and buyers hear the same whoever asks first."""
        if flag(signed["success"]) or flag(signed["pending"]):
            return signed
        try:
            return self._transaction(payment) or signed
        except GatewayUnavailable:
            return signed

    def _transaction(self, payment: PaymentRef) -> Mapping[str, Any] | None:
        """The payment's own transaction, never a child; None where the buyer has not tried."""
        known = payment.data.get("transaction", "")
        if payment.capture_id != payment.reference:
            known = payment.capture_id
        if known:
            told = self._door.ask("GET", f"/api/acceptance/transactions/{known}")
            if told is not None and order_of(unwrapped(told)) == payment.reference:
                return unwrapped(told)
        order = {"order_id": _number(payment.reference)}
        told = self._door.ask("POST", "/api/ecommerce/orders/transaction_inquiry", order)
        transaction = unwrapped(told) if told else {}
        if flag(transaction.get("has_parent_transaction")):
            parent = str(transaction.get("parent_transaction") or "")
            told = self._door.ask("GET", f"/api/acceptance/transactions/{parent}") if parent.isdigit() else None
            if told is None:
                raise GatewayUnavailable("paymob does not tell of a payment whose refund it tells of")
            transaction = unwrapped(told)
        if transaction and order_of(transaction) != payment.reference:
            raise GatewayUnavailable("paymob answered about another order")
        return transaction or None

    def _change(self, payment: PaymentRef, path: str, amount: int | None) -> ChargeReport:
        """Take what is set aside, or give it up, unless that is done; then what is true after."""
        before = self._transaction(payment)
        if before is None or not flag(before.get("is_auth")) or not flag(before.get("success")):
            raise GatewayRefused("Nothing is set aside.", code=ErrorCode.INVALID_REQUEST)
        if flag(before.get("is_captured")) or flag(before.get("is_voided")):
            return report(payment, before, self._rules)
        sent: dict[str, Any] = {"transaction_id": _number(str(before.get("id")))}
        if amount is not None:
            sent["amount_cents"] = self._rules.cents(amount, payment.currency)
        answer = self._door.post(f"/api/acceptance/{path}", sent)
        told = self._door.json(answer)
        if answer.status_code >= 400:
            code, own = refusal(answer, told)
            raise GatewayRefused("Paymob refused.", code=code, gateway_code=own)
        if not flag(unwrapped(told).get("success")):
            raise GatewayRefused("Paymob could not do it.", gateway_code=_own_code(unwrapped(told)))
        after = self._door.ask("GET", f"/api/acceptance/transactions/{before.get('id')}")
        if after is None:
            raise GatewayUnavailable("paymob does not know what it changed")
        return report(payment, unwrapped(after), self._rules)


GATEWAY = PaymobGateway


def _ids(text: str) -> list[int | str]:
    """Numbers of integrations, or their names."""
    return [int(each) if each.isdigit() else each for each in text.replace(",", " ").split()]


def _number(identifier: str) -> int | str:
    return int(identifier) if identifier.isdigit() else identifier


def _read(message: IncomingMessage) -> dict[str, Any]:
    try:
        sent = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise SignatureInvalid("no JSON") from error
    if not isinstance(sent, dict) or sent.get("type") not in ("TRANSACTION", "TOKEN"):
        raise SignatureInvalid("no message of Paymob's")
    obj = sent.get("obj")
    if not isinstance(obj, dict) or (sent["type"] == "TRANSACTION" and not isinstance(obj.get("order"), dict)):
        raise SignatureInvalid("no object")
    return sent


def _hint(obj: Mapping[str, Any], values: Mapping[str, str | None]) -> dict[str, str]:
    """What `verify` may use of a message: all that is signed, or only which transaction to ask about, or nothing."""
    if values["has_parent_transaction"] != "false" or not isinstance(obj.get("id"), int):
        return {}
    numbers = (obj.get("amount_cents"), obj.get("integration_id"), obj.get("owner"), obj["order"].get("id"))
    hint = {"transaction": str(obj["id"])}
    return hint | ({"signed": json.dumps(values)} if all(type(each) is int for each in numbers) else {})


def _kind(values: Mapping[str, str | None]) -> str:
    if values["has_parent_transaction"] == "true":
        return "TRANSACTION child"
    if values["pending"] == "true":
        return "TRANSACTION pending"
    return "TRANSACTION success" if values["success"] == "true" else "TRANSACTION declined"


def _signed(payment: PaymentRef) -> Mapping[str, Any] | None:
    """A signed message as a transaction, where all that counts is signed: a payment of this order, nothing done to it.

    Nothing stands between the signed values: a shape that cannot be moved over to a neighbor is part of the check.
    """
    told = payment.data.get("signed")
    values: dict[str, str | None] = json.loads(told) if told else {}
    if not values or values["order.id"] != payment.reference:
        return None
    changed = ("has_parent_transaction", "is_auth", "is_capture", "is_refunded", "is_voided")
    if any(values[name] != "false" for name in changed) or not _MOMENT.match(values["created_at"] or ""):
        return None
    source = {"type": values["source_data.type"], "sub_type": values["source_data.sub_type"]}
    return {**values, "order": {"id": values["order.id"]}, "source_data": {**source, "pan": values["source_data.pan"]}}


def _own_code(child: Mapping[str, Any]) -> str:
    data = child.get("data")
    return str(data.get("txn_response_code") or "" if isinstance(data, Mapping) else "")[:100]


def _refund_report(refund: RefundRequest, child: Mapping[str, Any]) -> RefundReport:
    reference = str(child.get("id") or "")
    if not reference or "success" not in child:
        raise GatewayUnavailable("paymob answered a refund with nothing that makes sense")
    outcome = RefundOutcome.SUCCEEDED if flag(child.get("success")) else RefundOutcome.FAILED
    if flag(child.get("pending")):
        outcome = RefundOutcome.PENDING
    failed = outcome is RefundOutcome.FAILED
    return RefundReport(
        reference=reference,
        outcome=outcome,
        amount=refund.amount,
        currency=refund.currency,
        refund_id=str(refund.refund_id),
        error_code=ErrorCode.NOT_REFUNDABLE if failed else None,
        gateway_code=_own_code(child) if failed else "",
        error_message="Paymob could not make the refund." if failed else "",
    )
