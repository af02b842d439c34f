"""PayPal: Orders v2, approved on PayPal's page, captured by us; messages checked by PayPal itself."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from backend.core import clock
from backend.payments.gateways.base import (
    Account,
    Capabilities,
    CaptureMode,
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
    SignatureInvalid,
    Started,
    StartRequest,
)
from backend.payments.gateways.optional import Finding, ReportLine
from backend.payments.gateways.paypal import checking, days, reading
from backend.payments.gateways.paypal.api import ID, REQUEST_ID, Api, CredentialsRefused, Refusal
from backend.payments.gateways.paypal.codes import ALREADY, MAYBE_OURS, REFUND_CODES, code_of
from backend.payments.gateways.paypal.reading import money, sensible

_CODES = "AUD CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PHP PLN SEK SGD THB TWD USD"
CURRENCIES = frozenset(_CODES.split(" "))
SIGNATURE_HEADERS = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}
LONGEST_HEADER = 500
KEYS_KEPT = timedelta(days=44)
"""PayPal remembers a refund's request id for 45 days. After that, a refund is looked for before it is asked again."""


class PayPalGateway:
    """Money is a decimal string at PayPal, and our payment's id is the order's custom id."""

    id = "paypal"
    name = "PayPal"
    reported = frozenset({"CAPTURE", "REFUND"})

    def __init__(self, account: Account) -> None:
        self.account = account
        self.merchant_account = account["merchant_id"]
        self.capabilities = Capabilities(
            flow=Flow.REDIRECT,
            currencies=CURRENCIES | set(account["more_currencies"].upper().split(",")) - {""},
            manual_capture=True,
            partial_capture=True,
            cancel=True,
            webhook_headers=frozenset(SIGNATURE_HEADERS.values()),
            webhooks_checked_later=True,
            disputes=True,
            reports=account["transaction_search"] == "1",
            checks=True,
        )
        self._api = Api(account)

    def start(self, request: StartRequest) -> Started:
        intent = "AUTHORIZE" if request.capture is CaptureMode.MANUAL else "CAPTURE"
        try:
            order = self._post("/v2/checkout/orders", self._order(request, intent), key=request.key)
        except CredentialsRefused as error:
            raise GatewayRefused(str(error), code=ErrorCode.MISCONFIGURED) from None
        except Refusal as error:
            raise _refused(error) from None
        return sensible(lambda: _started(order, intent))

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        order_id = payment.reference or payment.data.get("order", "")
        if not ID.fullmatch(order_id):
            return None
        try:
            order = self._api.get(f"/v2/checkout/orders/{order_id}")
        except Refusal as error:
            if error.status == 404:
                return self._lapsed(payment)
            raise GatewayUnavailable(str(error)) from None
        report = sensible(lambda: reading.charge_report(order))
        return replace(
            report,
            held=report.held or "reversed" in payment.data,
            disputes=sensible(lambda: reading.dispute_of(payment.data)),
        )

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        """What was set aside only if we know of it: else two workers at once would set it aside, and then take it."""
        authorization = payment.data.get("authorization", "")
        if authorization:
            path = f"/v2/payments/authorizations/{_checked(authorization)}/capture"
            sent = {"amount": _whole(amount, payment.currency), "final_capture": True}
            return self._move(payment, path, sent, key=payment.key(f"capture:{amount}"))
        if amount != payment.amount:
            raise GatewayRefused("PayPal takes an order as a whole.", code=ErrorCode.INVALID_AMOUNT)
        action = "authorize" if payment.data.get("intent") == "AUTHORIZE" else "capture"
        path = f"/v2/checkout/orders/{_checked(payment.reference)}/{action}"
        return self._move(payment, path, {}, key=payment.key(action))

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        """Gives up what was set aside. An order that nobody has approved cannot be ended: PayPal forgets it itself."""
        authorization = payment.data.get("authorization", "")
        if not authorization:
            raise GatewayRefused("PayPal lets orders lapse, and cannot end them.", code=ErrorCode.INVALID_REQUEST)
        return self._move(payment, f"/v2/payments/authorizations/{_checked(authorization)}/void", None)

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        if refund.created_at is not None and clock.now() - refund.created_at > KEYS_KEPT:
            made = self.find_refund(payment, refund)
            if made is not None:
                return made
        try:
            sent = {
                "amount": money(refund.amount, refund.currency),
                "custom_id": f"{payment.payment_id}.{refund.refund_id}",
            }
            path = f"/v2/payments/captures/{_checked(payment.capture_id)}/refund"
            told = self._post(path, sent, key=refund.key)
        except Refusal as error:
            made = self.find_refund(payment, refund) if error.issue in MAYBE_OURS else None
            if made is not None:
                return made
            code = REFUND_CODES.get(error.issue, ErrorCode.NOT_REFUNDABLE)
            raise RefundRefused(str(error), code=code, gateway_code=error.issue) from None
        except ValueError:
            raise RefundRefused(
                f"PayPal gives no parts of one {refund.currency} back.", code=ErrorCode.INVALID_AMOUNT
            ) from None
        return sensible(lambda: reading.refund_report(told))

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        try:
            if ID.fullmatch(refund.reference):
                told = self._api.get(f"/v2/payments/refunds/{refund.reference}")
                return sensible(lambda: reading.refund_report(told))
            order = self._api.get(f"/v2/checkout/orders/{_checked(payment.reference)}")
        except Refusal as error:
            raise GatewayUnavailable(str(error)) from None
        made = sensible(lambda: reading.charge_report(order)).refunds
        return next((each for each in made if each.refund_id == str(refund.refund_id)), None)

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        """The order's id, for a payment whose first answer was lost. What `verify` finds there must name it."""
        token = sent.get("token", "")
        return {"order": token} if not payment.reference and ID.fullmatch(token) else {}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """Asks PayPal whether it has sent this: a worker calls it."""
        read = self.read_webhook(message)
        given = {name: message.headers.get(header, "") for name, header in SIGNATURE_HEADERS.items()}
        if not all(0 < len(value) <= LONGEST_HEADER for value in given.values()) or not _at_paypal(given["cert_url"]):
            raise SignatureInvalid
        known = orjson.dumps({**given, "webhook_id": self.account["webhook_id"]})
        # As it came: what is read and written again has other bytes, and PayPal signs bytes.
        asked = known[:-1] + b',"webhook_event":' + message.body + b"}"
        try:
            told = self._api.post_raw("/v1/notifications/verify-webhook-signature", asked, repeatable=True)
        except Refusal as error:
            if error.status in (400, 422):
                raise SignatureInvalid from None
            raise GatewayUnavailable(str(error)) from None
        status = told.get("verification_status")
        if status == "SUCCESS":
            return read
        if status == "FAILURE":
            raise SignatureInvalid
        raise GatewayUnavailable("PayPal made no sense: no verification status")

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """No message is believed about money: the order is asked for. Disputes alone are taken as they are told."""
        try:
            event = orjson.loads(message.body)
            event_id, kind, resource = event["id"], event["event_type"], event["resource"]
            if not event_id or not isinstance(event_id, str) or not isinstance(kind, str):
                raise SignatureInvalid
            return replace(_named(kind, resource), event_id=event_id, kind=kind)
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise SignatureInvalid("not a message of PayPal's") from None

    def report_days(self, first: date, last: date) -> Iterator[ReportLine]:
        return days.report_days(self._api, first, last)

    def is_live(self) -> bool:
        return checking.is_live(self.account)

    def check(self) -> Iterator[Finding]:
        try:
            yield from checking.check(self._api, self.account)
        except CredentialsRefused as error:
            raise GatewayRefused(str(error), code=ErrorCode.MISCONFIGURED) from None

    def _order(self, request: StartRequest, intent: str) -> dict[str, Any]:
        unit: dict[str, Any] = {
            "reference_id": str(request.payment_id),
            "custom_id": str(request.payment_id),
            "amount": _whole(request.amount, request.currency),
        }
        if request.description:
            unit["description"] = request.description[:127]
        shipping = _shipping(request) if self.account["shipping_preference"] == "SET_PROVIDED_ADDRESS" else None
        if shipping:
            unit["shipping"] = shipping
        experience = {
            "return_url": request.callback_url,
            "cancel_url": request.callback_url,
            "user_action": "PAY_NOW",
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
            "shipping_preference": "SET_PROVIDED_ADDRESS" if shipping else "NO_SHIPPING",
        }
        if self.account["brand_name"]:
            experience["brand_name"] = self.account["brand_name"][:127]
        return {
            "intent": intent,
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": experience}},
        }

    def _post(self, path: str, sent: dict[str, Any], *, key: str) -> dict[str, Any]:
        headers = {REQUEST_ID: key, "Prefer": "return=representation"}
        told: dict[str, Any] = self._api.post(path, sent, headers=headers)
        return told

    def _move(self, payment: PaymentRef, path: str, sent: dict[str, Any] | None, *, key: str = "") -> ChargeReport:
        """Take, set aside or give up, and then see what is true: an answer tells less than the order does."""
        try:
            if sent is None:
                self._api.post_raw(path, None)
            else:
                self._post(path, sent, key=key)
        except Refusal as error:
            if error.issue not in ALREADY:
                raise _refused(error) from None
        report = self.verify(payment)
        if report is None:
            raise GatewayUnavailable("PayPal does not know the order of money that it moved")
        return report

    def _lapsed(self, payment: PaymentRef) -> ChargeReport | None:
        """PayPal forgets orders that nobody approved. None while that cannot be, or where money was set aside."""
        hours = float(self.account["expires_hours"])
        if not payment.reference or payment.captured or payment.data.get("authorization") or not hours:
            return None
        if payment.created_at is None or clock.now() - payment.created_at < timedelta(hours=hours):
            return None
        return ChargeReport(
            reference=payment.reference,
            payment_id=str(payment.payment_id),
            state=ChargeState.CANCELLED,
            amount=payment.amount,
            currency=payment.currency,
            error_code=ErrorCode.EXPIRED.value,
            error_message="Nobody approved it at PayPal in time.",
            gateway_code="RESOURCE_NOT_FOUND",
        )


GATEWAY = PayPalGateway


def _started(order: Mapping[str, Any], intent: str) -> Started:
    if not ID.fullmatch(order["id"]):
        raise ValueError("not an order's id")
    return Started(reference=order["id"], next_action=reading.approve_link(order), data={"intent": intent})


def _named(kind: str, resource: Mapping[str, Any]) -> GatewayMessage:
    """Whom a message is about: by our own id, else by the order's, else by the capture's."""
    if kind.startswith("CUSTOMER.DISPUTE."):
        about = resource["disputed_transactions"][0]
        payment_id, capture_id = reading.our_ids(about.get("custom"))[0], str(about.get("seller_transaction_id") or "")
        return GatewayMessage("", payment_id=payment_id, reference=capture_id, data=reading.dispute_data(resource))
    if kind.startswith("CHECKOUT.ORDER."):
        order_id, (payment_id, _) = str(resource["id"]), reading.our_ids(resource["purchase_units"][0].get("custom_id"))
        return GatewayMessage("", payment_id=payment_id, reference=order_id, data={"order": order_id})
    if not kind.startswith("PAYMENT."):
        return GatewayMessage("")
    payment_id, _ = reading.our_ids(resource.get("custom_id"))
    related = (resource.get("supplementary_data") or {}).get("related_ids") or {}
    return GatewayMessage(
        "",
        payment_id=payment_id,
        reference=reading.capture_above(resource) or str(related.get("order_id") or ""),
        data={"reversed": "1"} if kind == "PAYMENT.CAPTURE.REVERSED" else {},
    )


def _refused(error: Refusal) -> GatewayRefused:
    return GatewayRefused(str(error), code=code_of(error.status, error.issue), gateway_code=error.issue)


def _checked(gateway_id: str) -> str:
    """An id of PayPal's on its way into an address."""
    if not ID.fullmatch(gateway_id):
        raise GatewayUnavailable("what is kept of the payment has no id of PayPal's")
    return gateway_id


def _whole(amount: int, currency: str) -> dict[str, str]:
    try:
        return money(amount, currency)
    except ValueError:
        raise GatewayRefused(f"PayPal takes no parts of one {currency}.", code=ErrorCode.INVALID_AMOUNT) from None


def _at_paypal(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and (parts.hostname or "").endswith(".paypal.com")


def _shipping(request: StartRequest) -> dict[str, Any] | None:
    to = request.buyer.shipping
    if to is None or not to.country:
        return None
    address = {
        "address_line_1": to.line1[:300],
        "address_line_2": to.line2[:300],
        "admin_area_2": to.city[:120],
        "admin_area_1": to.region[:300],
        "postal_code": to.postal_code[:60],
    }
    name = f"{request.buyer.first_name} {request.buyer.last_name}".strip()[:300]
    kept = {field: value for field, value in address.items() if value}
    return {**({"name": {"full_name": name}} if name else {}), "address": {**kept, "country_code": to.country}}
