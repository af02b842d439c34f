"""The shop's side of Stripe. Reports are always asked for: messages only say where to look."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backend.payments.gateways.base import (
    Account,
    Capabilities,
    ChargeReport,
    ChargeState,
    ErrorCode,
    Flow,
    GatewayMessage,
    GatewayRefused,
    GatewayUnavailable,
    IncomingMessage,
    PaymentRef,
    RefundRefused,
    RefundReport,
    RefundRequest,
    Started,
    StartRequest,
)
from backend.payments.gateways.optional import Finding, ReportLine, SavedMethod
from backend.payments.gateways.stripe import checking, days, saving, webhooks
from backend.payments.gateways.stripe.amounts import CURRENCIES, UNCONFIRMED, from_stripe, to_stripe
from backend.payments.gateways.stripe.client import (
    MOST,
    PAGE,
    Client,
    keyed,
    understood,
    unless_misconfigured,
    unless_refused,
)
from backend.payments.gateways.stripe.codes import Missing
from backend.payments.gateways.stripe.reports import (
    charge_of,
    intent_report,
    next_action,
    refund_report,
    session_report,
)
from backend.payments.gateways.stripe.sending import CHARGE, IN_SESSION, intent_params, saved_params, session_params

SESSION = "cs_"
INTENT = "pi_"
SLACK = timedelta(minutes=10)
"""Stripe's clock and ours may differ so much, and a start may be repeated until its order expires."""


class StripeGateway:
    """A payment is a PaymentIntent (`STRIPE_FLOW=CLIENT_SECRET`) or a Checkout Session (`REDIRECT`): its PaymentIntent
    comes to be when the buyer pays. Either way the PaymentIntent is the `capture_id`."""

    id = "stripe"
    name = "Stripe"
    merchant_account = ""

    reported = frozenset({"CAPTURE", "REFUND", "CHARGEBACK"})

    def __init__(self, account: Account) -> None:
        self.account = account
        self.capabilities = _capabilities(account)
        self._client = Client(account)
        self._publishable_key = account["publishable_key"]

    # Paying -------------------------------------------------------------------------------------------

    def start(self, request: StartRequest) -> Started:
        try:
            amount = to_stripe(request.amount, request.currency)
        except ValueError as error:
            raise GatewayRefused(str(error), code=ErrorCode.INVALID_AMOUNT) from error
        if request.saved_method:
            return self._pay_again(request, amount)
        options = keyed(request.key)
        if self.capabilities.flow is Flow.REDIRECT:
            page = self._client.one(lambda v1: v1.checkout.sessions.create(session_params(request, amount), options))
            with understood():
                return Started(reference=page["id"], next_action={"type": "REDIRECT", "url": page["url"]})
        return self._started(
            self._client.one(lambda v1: v1.payment_intents.create(intent_params(request, amount), options))
        )

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        with unless_refused():
            try:
                told = self._told(payment)
            except Missing:
                return None
        return None if told is None else self._report(told, payment)

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        intent, options = self._intent_of(payment), keyed(payment.key(f"capture:{amount}"))
        wanted = to_stripe(amount, payment.currency)
        try:
            with unless_misconfigured():
                self._client.one(lambda v1: v1.payment_intents.capture(intent, {"amount_to_capture": wanted}, options))
        except GatewayRefused as error:
            return self._done_before(payment, ChargeState.SUCCEEDED, error)
        return self._asked_again(payment)

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        own, options = payment.capture_id or payment.reference, keyed(payment.key("cancel"))
        try:
            with unless_misconfigured():
                if own.startswith(SESSION):
                    self._client.one(lambda v1: v1.checkout.sessions.expire(own, None, options))
                else:
                    self._client.one(lambda v1: v1.payment_intents.cancel(own, None, options))
        except GatewayRefused as error:
            return self._done_before(payment, ChargeState.CANCELLED, error)
        return self._asked_again(payment)

    # Giving back --------------------------------------------------------------------------------------

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        """Looked for first: Stripe forgets keys after a day, and a refund may be tried again long after."""
        made = self.find_refund(payment, refund)
        if made is not None:
            return made
        intent, amount = self._intent_of(payment), to_stripe(refund.amount, refund.currency)
        metadata = {"payment_id": str(payment.payment_id), "refund_id": str(refund.refund_id)}
        try:
            with unless_misconfigured():
                told = self._client.one(
                    lambda v1: v1.refunds.create(
                        {"payment_intent": intent, "amount": amount, "metadata": metadata},
                        keyed(refund.key),
                    )
                )
        except GatewayRefused as error:
            code = ErrorCode.REFUND_TOO_LARGE if error.code is ErrorCode.INVALID_AMOUNT else error.code
            raise RefundRefused(str(error), code=code, gateway_code=error.gateway_code) from error
        with understood():
            return refund_report(told)

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        if refund.reference:
            with unless_refused():
                told = self._client.one(lambda v1: v1.refunds.retrieve(refund.reference))
            with understood():
                return refund_report(told)
        intent = self._intent_of(payment)
        with understood():
            reports = [refund_report(each) for each in self._refunds(intent)]
        return next((each for each in reports if each.refund_id == str(refund.refund_id)), None)

    # Messages -----------------------------------------------------------------------------------------

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        webhooks.authenticate(message, self.account["webhook_secret"])
        return webhooks.read(message)

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        return webhooks.read(message)

    # What only some gateways can ----------------------------------------------------------------------

    def report_days(self, first: date, last: date) -> list[ReportLine]:
        return days.report_days(self._client, first, last)

    def is_live(self) -> bool:
        return checking.is_live(self.account)

    def check(self) -> Iterator[Finding]:
        return checking.check(self._client, self.account)

    def create_customer(self, *, key: str, email: str, name: str) -> str:
        return saving.create_customer(self._client, key=key, email=email, name=name)

    def begin_saving(self, customer: str, *, key: str) -> Mapping[str, str]:
        return saving.begin_saving(self._client, customer, key=key, publishable_key=self._publishable_key)

    def saved_methods(self, customer: str) -> list[SavedMethod]:
        return saving.saved_methods(self._client, customer)

    def forget_method(self, customer: str, method_id: str) -> bool:
        return saving.forget_method(self._client, customer, method_id)

    # --------------------------------------------------------------------------------------------------

    def _pay_again(self, request: StartRequest, amount: int) -> Started:
        if not saving.has_method(self._client, request.customer, request.saved_method):
            raise GatewayRefused("There is no such saved way to pay.", code=ErrorCode.CARD_INVALID)
        params, options = saved_params(request, amount), keyed(request.key)
        return self._started(self._client.one(lambda v1: v1.payment_intents.create(params, options)))

    def _started(self, intent: dict[str, Any]) -> Started:
        with understood():
            waits = intent["status"] in ("requires_payment_method", "requires_confirmation", "requires_action")
            action = next_action(intent, self._publishable_key) if waits else None
            return Started(reference=intent["id"], next_action=action)

    def _told(self, payment: PaymentRef) -> dict[str, Any] | None:
        """The payment's Session or PaymentIntent, in full; None where a lost one cannot be found."""
        reference = payment.reference or self._find(payment)
        if not reference:
            return None
        if reference.startswith(SESSION):
            return self._client.one(lambda v1: v1.checkout.sessions.retrieve(reference, {"expand": IN_SESSION}))
        return self._client.one(lambda v1: v1.payment_intents.retrieve(reference, {"expand": CHARGE}))

    def _find(self, payment: PaymentRef) -> str:
        """Start's answer was lost: by our own id. Stripe's search lags behind by a minute; the sweep asks again."""
        if self.capabilities.flow is Flow.REDIRECT and payment.created_at:
            first = int((payment.created_at - SLACK).timestamp())
            last = int((payment.created_at + timedelta(minutes=settings.RESERVATION_MINUTES) + SLACK).timestamp())
            pages = self._client.all(
                lambda v1: v1.checkout.sessions.list({"created": {"gte": first, "lte": last}, "limit": PAGE}), most=MOST
            )
            ours = [str(page["id"]) for page in pages if page.get("client_reference_id") == str(payment.payment_id)]
            if ours:
                return ours[0]
        query = f"metadata['payment_id']:'{payment.payment_id}'"
        found = self._client.all(lambda v1: v1.payment_intents.search({"query": query, "limit": 1}), most=1)
        return str(found[0]["id"]) if found else ""

    def _report(self, told: dict[str, Any], payment: PaymentRef) -> ChargeReport:
        with understood():
            session = told["object"] == "checkout.session"
            intent = told.get("payment_intent") if session else told
            intent = intent if isinstance(intent, dict) else {}
            refunds, disputes = self._followed(intent, payment) if intent else ([], [])
            if session:
                return session_report(told, refunds=refunds, disputes=disputes)
            return intent_report(told, refunds=refunds, disputes=disputes, publishable_key=self._publishable_key)

    def _followed(
        self, intent: dict[str, Any], payment: PaymentRef
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Refunds and disputes, asked for only where there may be some."""
        charge, own = charge_of(intent), str(intent["id"])
        back = from_stripe(charge.get("amount_refunded", 0), payment.currency) or payment.refunded
        refunds = self._refunds(own) if charge and (back or payment.data.get("look_for") == "refunds") else []
        disputes: list[dict[str, Any]] = []
        if charge.get("disputed"):
            with unless_refused():
                disputes = self._client.all(lambda v1: v1.disputes.list({"payment_intent": own, "limit": PAGE}))
        return refunds, disputes

    def _refunds(self, intent: str) -> list[dict[str, Any]]:
        with unless_refused():
            return self._client.all(lambda v1: v1.refunds.list({"payment_intent": intent, "limit": PAGE}))

    def _intent_of(self, payment: PaymentRef) -> str:
        if payment.capture_id.startswith(INTENT):
            return payment.capture_id
        report = self._asked_again(payment)
        if not report.capture_id:
            raise GatewayUnavailable("stripe does not tell which PaymentIntent it is")
        return report.capture_id

    def _asked_again(self, payment: PaymentRef) -> ChargeReport:
        report = self.verify(payment)
        if report is None:
            raise GatewayUnavailable("stripe does not know a payment that it has")
        return report

    def _done_before(self, payment: PaymentRef, wanted: ChargeState, refusal: GatewayRefused) -> ChargeReport:
        """Refused, perhaps because it was done when the first answer was lost."""
        report = self._asked_again(payment)
        if report.state is wanted:
            return report
        raise refusal


def _capabilities(account: Account) -> Capabilities:
    extra = {each.strip().upper() for each in account["extra_currencies"].split(",") if each.strip()}
    if not extra <= UNCONFIRMED:
        raise ImproperlyConfigured(f"STRIPE_EXTRA_CURRENCIES knows {', '.join(sorted(UNCONFIRMED))}.")
    return Capabilities(
        flow=Flow(account["flow"]),
        currencies=CURRENCIES | extra,
        minimum={"USD": 50},
        manual_capture=True,
        partial_capture=True,
        cancel=True,
        disputes=True,
        reports=True,
        saved_methods=True,
        checks=True,
    )
