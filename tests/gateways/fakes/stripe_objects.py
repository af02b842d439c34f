"""What the proxy remembers beside localstripe, and localstripe's objects as today's Stripe tells them."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from tests.gateways.fakes.localstripe import LocalStripe

Object = dict[str, Any]
CARDS = {"pay": "4242424242424242", "decline": "4000000000000341", "authenticate": "4000002500003155"}
FEE = 59


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


class Objects:
    """PaymentIntents, charges and refunds as localstripe has them, with the fields that it lacks."""

    def __init__(self, local: LocalStripe, send: Callable[[Object, str], None] | None = None) -> None:
        self.local = local
        self._send = send
        self.forget()

    def forget(self) -> None:
        self.more: dict[str, Object] = {}
        """PaymentIntent id -> what localstripe refuses or forgets."""
        self.sessions: dict[str, Object] = {}
        self.disputes: dict[str, Object] = {}
        self.events: list[Object] = []
        self.refund_states: dict[str, Object] = {}
        self.released: set[str] = set()
        """localstripe's refunds of what was set aside and not taken, which Stripe has not."""
        self.wrong: dict[str, Object] = {}
        """Our payment's id -> how its amount and currency are told."""

    # Reading ------------------------------------------------------------------------------------------

    def intent(self, intent_id: str, expand: list[str] = []) -> Object:  # noqa: B006
        raw = self.local.get(f"/v1/payment_intents/{intent_id}")
        charge = self._charge(raw) if raw["latest_charge"] else None
        taken = charge["amount_captured"] if charge and charge["status"] == "succeeded" else 0
        told = {
            **{name: raw[name] for name in ("id", "object", "amount", "currency", "client_secret", "created")},
            **{name: raw[name] for name in ("customer", "livemode", "metadata", "next_action", "status")},
            "amount_received": taken,
            "amount_capturable": raw["amount"] if raw["status"] == "requires_capture" else 0,
            "capture_method": raw["capture_method"],
            "cancellation_reason": None,
            "payment_method": raw["payment_method"],
            "review": None,
            **self.more.get(intent_id, {}),
        }
        if raw["last_payment_error"]:
            told["last_payment_error"] = {**_decline(raw["last_payment_error"]), "type": "card_error"}
        told["latest_charge"] = charge and self._expanded_charge(charge, expand)
        review = told["review"]
        told["review"] = review["id"] if review and "review" not in expand else review
        return self._told_wrong(told)

    def charge(self, charge_id: str) -> Object:
        raw = self.local.get(f"/v1/charges/{charge_id}")
        return self._charge(self.local.get(f"/v1/payment_intents/{raw['payment_intent']}"))

    def refund(self, refund_id: str) -> Object:
        raw = self.local.get(f"/v1/refunds/{refund_id}")
        names = ("id", "object", "amount", "currency", "charge", "created", "status", "balance_transaction")
        told = {name: raw[name] for name in names} | {"metadata": raw["metadata"] or {}, "failure_reason": None}
        told["payment_intent"] = self.local.get(f"/v1/charges/{raw['charge']}")["payment_intent"]
        return told | self.refund_states.get(refund_id, {})

    def refunds_of(self, intent_id: str) -> list[Object]:
        """Newest first, as Stripe lists them."""
        if not self.local.get(f"/v1/payment_intents/{intent_id}")["latest_charge"]:
            return []
        rows = self.local.get("/v1/refunds", payment_intent=intent_id, limit=100)["data"]
        return [self.refund(row["id"]) for row in rows if row["id"] not in self.released]

    def session(self, session_id: str, expand: list[str] = []) -> Object:  # noqa: B006
        told = {name: value for name, value in self.sessions[session_id].items() if not name.startswith("_")}
        inside = [path.removeprefix("payment_intent.") for path in expand if path.startswith("payment_intent")]
        if inside and told["payment_intent"]:
            told["payment_intent"] = self.intent(told["payment_intent"], inside)
        wrong = self.wrong.get(told["client_reference_id"], {})
        return {**told, "amount_total": told["amount_total"] + wrong.get("amount_off", 0)} | (
            {"currency": wrong["currency"].lower()} if wrong.get("currency") else {}
        )

    def movements(self) -> list[Object]:
        """The balance's transactions, newest first, with their sources."""
        rows = self.local.get("/v1/balance_transactions", limit=100)["data"]
        return [self._movement(row) for row in rows if row["source"] not in self.released]

    def intent_of(self, payment_id: str) -> str:
        """The PaymentIntent of one of our payments; empty when there is none yet."""
        found = (key for key, more in self.more.items() if more["metadata"].get("payment_id") == payment_id)
        return next(found, "")

    def session_of(self, payment_id: str) -> Object | None:
        pages = self.sessions.values()
        return next((each for each in pages if each["client_reference_id"] == payment_id), None)

    # Happening ----------------------------------------------------------------------------------------

    def happen(self, kind: str, told: Object, payment_id: str) -> None:
        """An event, which goes out now, or when somebody takes it."""
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "livemode": False,
            "type": kind,
            "data": {"object": told},
        }
        if self._send:
            self._send(event, payment_id)
        else:
            self.events.append({"payment_id": payment_id, "event": event})

    def changed(self, intent_id: str) -> None:
        """The events of a PaymentIntent that has another state now."""
        told = self.intent(intent_id)
        payment_id = str(told["metadata"].get("payment_id", ""))
        names = {
            "succeeded": "succeeded",
            "requires_capture": "amount_capturable_updated",
            "requires_action": "requires_action",
            "canceled": "canceled",
            "requires_payment_method": "payment_failed",
        }
        self.happen(f"payment_intent.{names[told['status']]}", told, payment_id)
        if told["status"] == "succeeded":
            self.happen("charge.succeeded", self.charge(told["latest_charge"]), payment_id)

    # --------------------------------------------------------------------------------------------------

    def _charge(self, intent: Object) -> Object:
        raw = intent["latest_charge"]
        made = [each for each in self.refunds_of(intent["id"]) if each["status"] != "failed"] if raw["captured"] else []
        released = sum(self.local.get(f"/v1/refunds/{each}")["amount"] for each in self._releases(raw))
        number = self.more.get(intent["id"], {}).get("_card", CARDS["pay"])
        disputes = [each for each in self.disputes.values() if each["charge"] == raw["id"]]
        names = ("id", "object", "amount", "currency", "captured", "created", "status", "payment_intent")
        return self._told_wrong(
            {
                **{name: raw[name] for name in names},
                "amount_captured": raw["amount"] - released if raw["captured"] else 0,
                "amount_refunded": sum(each["amount"] for each in made),
                "balance_transaction": raw["balance_transaction"],
                "disputed": bool(disputes),
                "metadata": intent["metadata"] or {},
                "outcome": {"risk_level": "normal", "type": "authorized"},
                "payment_method_details": {
                    "type": "card",
                    "card": {"brand": "visa", "last4": number[-4:], "wallet": None},
                },
            }
        )

    def _releases(self, charge: Object) -> list[str]:
        rows = self.local.get("/v1/refunds", charge=charge["id"], limit=100)["data"]
        return [row["id"] for row in rows if row["id"] in self.released]

    def _expanded_charge(self, charge: Object, expand: list[str]) -> Any:
        inside = [path for path in expand if path.startswith("latest_charge")]
        if not inside:
            return charge["id"]
        if "latest_charge.balance_transaction" in inside and charge["balance_transaction"]:
            row = self.local.get(f"/v1/balance_transactions/{charge['balance_transaction']}")
            return {**charge, "balance_transaction": self._movement(row, with_source=False)}
        return charge

    def _movement(self, row: Object, *, with_source: bool = True) -> Object:
        fee = FEE if row["type"] == "charge" else 0
        told = {**row, "fee": fee, "net": row["amount"] - fee}
        if with_source:
            told["source"] = self.charge(row["source"]) if row["type"] == "charge" else self.refund(row["source"])
        return told

    def _told_wrong(self, told: Object) -> Object:
        wrong = self.wrong.get((told["metadata"] or {}).get("payment_id", ""), {})
        off = wrong.get("amount_off", 0)
        for name in ("amount", "amount_received", "amount_captured"):
            if told.get(name):
                told[name] += off
        if wrong.get("currency"):
            told["currency"] = wrong["currency"].lower()
        return {name: value for name, value in told.items() if not name.startswith("_")}


def _decline(error: Object) -> Object:
    """localstripe tells no reason; Stripe does."""
    return error if error.get("code") != "card_declined" else {**error, "decline_code": "generic_decline"}
