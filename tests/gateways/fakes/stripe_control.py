"""What tests ask of the proxy: a buyer's hands, a bank's, and what the double has."""

from typing import Any

from tests.gateways.fakes.localstripe import LocalStripe
from tests.gateways.fakes.stripe_api import ApiError
from tests.gateways.fakes.stripe_objects import CARDS, Object, Objects, new_id

Sent = dict[str, Any]


class Control:
    local: LocalStripe
    objects: Objects
    seen: list[Object]
    pending_refunds: bool

    def confirm(self, intent_id: str) -> None:
        raise NotImplementedError

    # The buyer ----------------------------------------------------------------------------------------

    def control_act(self, sent: Sent) -> None:
        """The buyer's browser at Stripe, with the card for `act`: pay, decline or authenticate."""
        session = self.objects.session_of(sent["payment_id"])
        if session is not None and session["status"] == "expired":
            return
        intent_id = self.objects.intent_of(sent["payment_id"]) or self._begin_page(session)
        self._pay(intent_id, sent["act"])
        if session is not None:
            self._complete(session, intent_id)

    def _begin_page(self, session: Object | None) -> str:
        """A Session has a PaymentIntent once the buyer presses Pay."""
        assert session is not None, "no such payment"
        wanted = session["_intent"]
        made = self.local.post(
            "/v1/payment_intents",
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            metadata=wanted.get("metadata"),
            capture_method=wanted.get("capture_method"),
        )
        self.objects.more[made["id"]] = {"metadata": wanted.get("metadata", {})} | wanted
        session["payment_intent"] = made["id"]
        return str(made["id"])

    def _pay(self, intent_id: str, act: str) -> None:
        number = CARDS[act]
        card = {"number": number, "exp_month": "12", "exp_year": "2034", "cvc": "123"}
        method = self.local.post("/v1/payment_methods", type="card", card=card)
        self.objects.more[intent_id]["_card"] = number
        self.local.post(f"/v1/payment_intents/{intent_id}", payment_method=method["id"])
        try:
            self.confirm(intent_id)
        except ApiError:
            return  # declined: Stripe.js shows it
        told = self.objects.intent(intent_id)
        if told["status"] == "requires_action":
            secret = told["client_secret"]
            self.local.post(f"/v1/payment_intents/{intent_id}/_authenticate", client_secret=secret, success="true")
            self.objects.changed(intent_id)
        if told["customer"] and self.objects.more[intent_id].get("setup_future_usage"):
            self.local.post(f"/v1/payment_methods/{method['id']}/attach", customer=told["customer"])

    def _complete(self, session: Object, intent_id: str) -> None:
        status = self.objects.intent(intent_id)["status"]
        if status in ("succeeded", "requires_capture"):
            session |= {"status": "complete", "url": None}
            session["payment_status"] = "paid" if status == "succeeded" else "unpaid"
            told = self.objects.session(session["id"])
            self.objects.happen("checkout.session.completed", told, session["client_reference_id"])

    def control_expire(self, sent: Sent) -> None:
        session = self.objects.session_of(sent["payment_id"])
        assert session is not None
        self.end_session(session["id"])

    def end_session(self, session_id: str) -> None:
        session = self.objects.sessions[session_id]
        session |= {"status": "expired", "url": None}
        if session["payment_intent"]:
            self.local.post(f"/v1/payment_intents/{session['payment_intent']}/cancel")
        self.objects.happen(
            "checkout.session.expired", self.objects.session(session_id), session["client_reference_id"]
        )

    def control_save(self, sent: Sent) -> str:
        """Stripe.js confirms a SetupIntent, and the card is the customer's. Returns its id."""
        setup = sent["client_secret"].partition("_secret_")[0]
        card = {"number": CARDS[sent.get("act", "pay")], "exp_month": "12", "exp_year": "2034", "cvc": "123"}
        method = self.local.post("/v1/payment_methods", type="card", card=card)["id"]
        told = self.local.post(f"/v1/setup_intents/{setup}/confirm", payment_method=method)
        self.local.post(f"/v1/payment_methods/{method}/attach", customer=told["customer"])
        return str(method)

    # Stripe's side ------------------------------------------------------------------------------------

    def control_events(self, sent: Sent) -> list[Object]:
        """Take the events of a payment, oldest first."""
        mine = [each for each in self.objects.events if each["payment_id"] == sent["payment_id"]]
        self.objects.events = [each for each in self.objects.events if each not in mine]
        return [each["event"] for each in mine]

    def control_misreport(self, sent: Sent) -> None:
        self.objects.wrong[sent["payment_id"]] = sent

    def control_change(self, sent: Sent) -> None:
        """Fields of a PaymentIntent that localstripe never has: a review, another status."""
        self.objects.more[self.objects.intent_of(sent["payment_id"])] |= sent["fields"]

    def control_change_session(self, sent: Sent) -> None:
        session = self.objects.session_of(sent["payment_id"])
        assert session is not None
        session |= sent["fields"]

    def control_pend_refunds(self, sent: Sent) -> None:
        self.pending_refunds = True

    def control_finish_refunds(self, sent: Sent) -> None:
        self.pending_refunds = False
        for refund_id, told in list(self.objects.refund_states.items()):
            if told["status"] == "pending":
                del self.objects.refund_states[refund_id]
                self.tell_refund("refund.updated", refund_id)

    def control_fail_refunds(self, sent: Sent) -> None:
        """The bank takes them back, made or not."""
        intent_id = self.objects.intent_of(sent["payment_id"])
        for refund in self.objects.refunds_of(intent_id):
            failed = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
            self.objects.refund_states[refund["id"]] = failed
            self.tell_refund("refund.failed", refund["id"])

    def control_refund(self, sent: Sent) -> str:
        """Somebody gives money back in the dashboard: the refund has nothing of ours."""
        intent_id = self.objects.intent_of(sent["payment_id"])
        made = self.local.post("/v1/refunds", payment_intent=intent_id, amount=sent["amount"])
        self.tell_refund("refund.created", made["id"])
        return str(made["id"])

    def tell_refund(self, kind: str, refund_id: str) -> None:
        refund = self.objects.refund(refund_id)
        intent = self.objects.more[refund["payment_intent"]]
        payment_id = intent["metadata"].get("payment_id", "")
        self.objects.happen(kind, refund, payment_id)
        if kind == "refund.created":
            self.objects.happen("charge.refunded", self.objects.charge(refund["charge"]), payment_id)

    def control_dispute(self, sent: Sent) -> str:
        """The bank disputes a payment, or a dispute has another status now."""
        intent_id = self.objects.intent_of(sent["payment_id"])
        charge = self.objects.intent(intent_id, ["latest_charge"])["latest_charge"]
        known = next((each for each in self.objects.disputes.values() if each["charge"] == charge["id"]), None)
        dispute = known or {
            "id": new_id("du"),
            "object": "dispute",
            "amount": sent.get("amount", charge["amount"]),
            "currency": charge["currency"],
            "charge": charge["id"],
            "payment_intent": intent_id,
            "reason": "fraudulent",
            "metadata": {},
            "evidence_details": {"due_by": 1893456000},
        }
        dispute["status"] = sent["status"]
        self.objects.disputes[dispute["id"]] = dispute
        kind = "closed" if sent["status"] in ("won", "lost", "warning_closed") else "updated" if known else "created"
        self.objects.happen(f"charge.dispute.{kind}", dict(dispute), sent["payment_id"])
        return str(dispute["id"])

    # Looking ------------------------------------------------------------------------------------------

    def control_sums(self, sent: Sent) -> Object:
        intent_id = self.objects.intent_of(sent["payment_id"])
        if not intent_id or not self.objects.intent(intent_id)["latest_charge"]:
            return {"taken": 0, "given_back": 0}
        wrong, self.objects.wrong = self.objects.wrong, {}
        charge = self.objects.intent(intent_id, ["latest_charge"])["latest_charge"]
        self.objects.wrong = wrong
        return {"taken": charge["amount_captured"], "given_back": charge["amount_refunded"]}

    def control_seen(self, sent: Sent) -> list[Object]:
        """Every request that was well-formed, in order."""
        return self.seen

    def control_forget_keys(self, sent: Sent) -> None:
        """A day has gone by."""
        self.keys: dict[str, Any] = {}

    def control_localstripe(self, sent: Sent) -> str:
        """Let localstripe itself send its two kinds of messages to an address. Returns where it lives."""
        self.local.send_webhooks(sent["url"], sent["secret"])
        return self.local.url
