"""SSLCommerz (Bangladesh): a hosted page, a signed message (IPN), and a validation API that alone decides.

Store id and password stand in the query of every question: neither addresses nor answers are ever logged. Refunds are
GET requests: they are never repeated by themselves.
"""

import base64
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from backend.payments.gateways.amounts import to_major, to_minor
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
    Method,
    PaymentRef,
    RefundOutcome,
    RefundRefused,
    RefundReport,
    RefundRequest,
    SignatureInvalid,
    Started,
    StartRequest,
)
from backend.payments.gateways.hosts import is_of
from backend.payments.gateways.http import GatewayHttp
from backend.payments.gateways.optional import Finding

logger = logging.getLogger(__name__)
SESSION = "/gwprocess/v4/api.php"
VALIDATION = "/validator/api/validationserverAPI.php"
QUERY = "/validator/api/merchantTransIDvalidationAPI.php"
PAID = ("VALID", "VALIDATED")
SIGNED_ALWAYS = frozenset({"status", "tran_id"})
SIGNED_WHEN_PAID = SIGNED_ALWAYS | {
    "amount", "bank_tran_id", "currency", "currency_amount", "currency_type", "store_id", "val_id",
}  # fmt: skip
"""Only what `verify_key` names is protected: a message that leaves one of these out could have been changed there."""
_VAL_ID = re.compile(r"[0-9A-Za-z]{8,50}")
_MOBILE = ("BKASH", "NAGAD", "ROCKET", "DBBLMOBILE", "UPAY", "TAP", "OKWALLET", "MCASH", "MYCASH", "TELETALK")
_CARD = ("VISA", "MASTER", "AMEX", "UNIONPAY", "DINERS", "DISCOVER", "NEXUS", "QCASH", "TAKAPAY")
_ENDED = {
    "FAILED": (ChargeState.FAILED, ErrorCode.CARD_DECLINED, "The payment was declined."),
    "CANCELLED": (ChargeState.CANCELLED, ErrorCode.ABANDONED, "The buyer closed the payment page."),
    "EXPIRED": (ChargeState.CANCELLED, ErrorCode.EXPIRED, "The payment page has expired."),
    "UNATTEMPTED": (ChargeState.CANCELLED, ErrorCode.ABANDONED, "The buyer never tried to pay."),
}


class SslcommerzGateway:
    id = "sslcommerz"
    name = "SSLCommerz"
    capabilities = Capabilities(
        flow=Flow.REDIRECT,
        currencies=frozenset({"BDT"}),
        minimum={"BDT": 10_00},
        maximum={"BDT": 500_000_00},
        idempotent_refunds=False,
        checks=True,
    )

    def __init__(self, account: Account) -> None:
        self.account = account
        self.merchant_account = account["store_id"]
        foreign = frozenset(account["foreign_currencies"].replace(",", " ").split())
        self._asks_when_unsigned = account["unsigned"] == "ask"
        self.capabilities = replace(
            SslcommerzGateway.capabilities,
            currencies=frozenset({"BDT"}) | foreign,
            idempotent_refunds=account["refund_keys"] == "1",
            webhooks_checked_later=self._asks_when_unsigned,
        )
        self._http = GatewayHttp(self.id, account["api_url"], timeout_s=float(account["timeout_s"]))
        self._credentials = {"store_id": account["store_id"], "store_passwd": account["store_passwd"]}

    def start(self, request: StartRequest) -> Started:
        """Every call makes a session of its own: `tran_id` must be new. One whose answer was lost is never paid."""
        tran_id = f"{short_id(request.payment_id)}{secrets.token_hex(2)}"
        told = self._http.json(self._http.post(SESSION, data=self._credentials | _session(request, tran_id)))
        page, reason = str(told.get("GatewayPageURL") or ""), str(told.get("failedreason") or "")
        if told.get("status") == "FAILED":
            ours = "credential" in reason.lower() or "de-active" in reason.lower()
            code = ErrorCode.MISCONFIGURED if ours else ErrorCode.INVALID_REQUEST
            raise GatewayRefused("SSLCommerz refused to begin.", code=code, gateway_code=reason)
        if told.get("status") != "SUCCESS" or not page.startswith(("https://", "http://")):
            raise GatewayUnavailable("sslcommerz began no session, and gave no reason")
        return Started(
            reference=tran_id,
            next_action={"type": "REDIRECT", "url": page},
            data={"sessionkey": str(told.get("sessionkey") or "")},
        )

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        """The validation API decides. Which message it is asked about comes from a hint, or from the list of attempts.

        A hint that belongs to another order, or that the gateway does not know, is as good as none.
        """
        if not payment.reference:
            return None  # the answer to start was lost: nobody has that session's page
        hint = payment.data.get("val_id", "")
        told = self._validate(hint, payment.reference) if _VAL_ID.fullmatch(hint) else None
        return _report(payment, told or self._latest(payment.reference))

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        raise GatewayRefused("SSLCommerz takes money at once.", code=ErrorCode.INVALID_REQUEST)

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        raise GatewayRefused("SSLCommerz cannot cancel a payment.", code=ErrorCode.INVALID_REQUEST)

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        if refund.currency != "BDT":
            raise RefundRefused("Give it back in SSLCommerz' panel: the shop cannot, in this currency.")
        asked = {
            "bank_tran_id": payment.capture_id,
            "refund_trans_id": short_id(refund.refund_id),
            "refund_amount": to_major(refund.amount, refund.currency),
            "refund_remarks": (refund.reason or "Refund")[:255],
        }
        told = self._ask(QUERY, asked, repeatable=False, refuse=RefundRefused)
        status, reference = str(told.get("status")), str(told.get("refund_ref_id") or "")
        if status == "failed":
            raise RefundRefused("SSLCommerz refused the refund.", gateway_code=str(told.get("errorReason") or ""))
        if status not in ("success", "processing") or not reference:
            raise GatewayUnavailable("sslcommerz answered a refund with nothing that makes sense")
        return _refund_report(refund, RefundOutcome.PENDING, reference)

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        """Only by the gateway's own id: one whose answer was lost cannot be looked for."""
        if not refund.reference:
            raise GatewayUnavailable("sslcommerz cannot tell of a refund without its refund_ref_id")
        told = self._ask(QUERY, {"refund_ref_id": refund.reference})
        outcome = {
            "refunded": RefundOutcome.SUCCEEDED,
            "processing": RefundOutcome.PENDING,
            "cancelled": RefundOutcome.FAILED,
        }.get(str(told.get("status")))
        if outcome is None:
            raise GatewayUnavailable("sslcommerz does not tell what became of a refund")
        return _refund_report(refund, outcome, refund.reference, str(told.get("errorReason") or ""))

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        val_id = sent.get("val_id", "")
        return {"val_id": val_id} if _VAL_ID.fullmatch(val_id) else {}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        form = _form(message)
        if is_signed(form, self.account["store_passwd"]) and form.get("store_id", self.merchant_account) in (
            "",
            self.merchant_account,
        ):
            return self.read_webhook(message)
        logger.warning("An SSLCommerz message about %.40r is not signed as it should be", form.get("tran_id"))
        val_id, tran_id = form.get("val_id", ""), form.get("tran_id", "")
        if self._asks_when_unsigned and _VAL_ID.fullmatch(val_id) and self._validate(val_id, tran_id):
            return self.read_webhook(message)
        raise SignatureInvalid

    def read_webhook(self, message: IncomingMessage) -> GatewayMessage:
        """No report: the message says whom to ask about. The payment's id is part of `tran_id`, which is signed."""
        form = _form(message)
        tran_id, status, val_id = form.get("tran_id", ""), form.get("status", ""), form.get("val_id", "")
        if not tran_id or not status:
            raise SignatureInvalid("signed, but not a message about a payment")
        return GatewayMessage(
            event_id=f"{tran_id}:{val_id or form.get('bank_tran_id', '')}:{status}",
            payment_id=payment_id_of(tran_id),
            reference=tran_id,
            kind=status,
            data={"val_id": val_id} if val_id else {},
        )

    def is_live(self) -> bool:
        return not is_of(self.account["api_url"], "sandbox.sslcommerz.com")

    def check(self) -> Iterator[Finding]:
        self._ask(QUERY, {"tran_id": short_id(UUID(int=0))}, refuse=GatewayRefused)
        yield Finding("credentials", "SSLCommerz accepts the store's id and password.")
        yield Finding("webhook secret", "Messages are signed with the store's password.")

    def _validate(self, val_id: str, tran_id: str) -> dict[str, Any] | None:
        """What the validation API confirms of a payment of that `tran_id`; None when it confirms none."""
        told = self._ask(VALIDATION, {"val_id": val_id, "v": "1"}, done=False)
        if told.get("status") in PAID and told.get("APIConnect") == "DONE":
            if told.get("tran_id") == tran_id:
                return told
            logger.warning("SSLCommerz knows the val_id that came for %.40r as another order's", tran_id)
        elif told.get("status") == "INVALID_TRANSACTION":
            logger.warning("SSLCommerz knows no val_id such as came for %.40r", tran_id)
        else:
            raise GatewayUnavailable("sslcommerz could not validate")
        return None

    def _latest(self, tran_id: str) -> dict[str, Any]:
        """The attempt that was paid, as the validation API confirms it; else the last one; {} where there is none."""
        told = self._ask(QUERY, {"tran_id": tran_id})
        attempts = [each for each in told.get("element") or [] if isinstance(each, dict)]
        attempts = [each for each in attempts if each.get("tran_id") == tran_id]
        for attempt in attempts:
            if attempt.get("status") in PAID:
                confirmed = self._validate(str(attempt.get("val_id")), tran_id)
                if confirmed is None:
                    raise GatewayUnavailable("sslcommerz lists a payment that it does not validate")
                return confirmed
        return attempts[-1] if attempts else {}

    def _ask(
        self,
        path: str,
        asked: dict[str, str],
        *,
        repeatable: bool = True,
        done: bool = True,
        refuse: type[GatewayRefused] | None = None,
    ) -> dict[str, Any]:
        sent = asked | self._credentials | {"format": "json"}
        told = self._http.json(self._http.get(path, params=sent, repeatable=repeatable))
        connected = str(told.get("APIConnect"))
        if done and connected != "DONE":
            if refuse and connected in ("INVALID_REQUEST", "INACTIVE"):
                reason = str(told.get("errorReason") or connected)
                raise refuse("SSLCommerz refused the question.", code=ErrorCode.MISCONFIGURED, gateway_code=reason)
            raise GatewayUnavailable(f"sslcommerz answered APIConnect {connected[:20]}")
        return told


GATEWAY = SslcommerzGateway


def short_id(ours: UUID) -> str:
    """A UUID in 26 letters and digits: what goes to the gateway has 30 at most."""
    return base64.b32encode(ours.bytes).decode().rstrip("=").lower()


def payment_id_of(tran_id: str) -> str:
    """Our payment's id out of a `tran_id`; empty for one that we never made."""
    try:
        return str(UUID(bytes=base64.b32decode(f"{tran_id[:26].upper()}======")))
    except ValueError:
        return ""


def sign(form: Mapping[str, str], names: list[str], password: str) -> str:
    """MD5 over the named fields and the password's MD5, sorted by name, values as they are after decoding."""
    signed = {name: form[name] for name in names}
    signed["store_passwd"] = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    text = "&".join(f"{name}={signed[name]}" for name in sorted(signed, key=str.encode))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def is_signed(form: Mapping[str, str], password: str) -> bool:
    """Whether the store's password signed everything in the form that matters."""
    names = form.get("verify_key", "").split(",")
    wanted = SIGNED_WHEN_PAID if form.get("status") in PAID else SIGNED_ALWAYS
    if not wanted <= set(names) or not all(name in form for name in names):
        return False
    return hmac.compare_digest(sign(form, names, password).encode(), form.get("verify_sign", "").encode())


def _form(message: IncomingMessage) -> dict[str, str]:
    try:
        pairs = parse_qsl(message.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError as error:
        raise SignatureInvalid("no form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise SignatureInvalid("a field comes twice")
    return form


def _session(request: StartRequest, tran_id: str) -> dict[str, str]:
    """The form of a session. What an address lacks is written as N/A: the gateway wants every field."""
    buyer, bill, parcel = request.buyer, request.buyer.billing, request.buyer.shipping
    name = _cut(f"{buyer.first_name} {buyer.last_name}", 50)
    form = {
        "total_amount": to_major(request.amount, request.currency, digits=2),
        "currency": request.currency,
        "tran_id": tran_id,
        "success_url": request.callback_url,
        "fail_url": request.callback_url,
        "cancel_url": request.callback_url,
        "ipn_url": request.webhook_url,
        "product_name": _cut(", ".join(line.name for line in request.lines) or request.description, 255),
        "product_category": "general",
        "product_profile": "physical-goods" if parcel else "non-physical-goods",
        "num_of_item": str(sum(line.quantity for line in request.lines) or 1),
        "cus_name": name,
        "cus_email": buyer.email if 0 < len(buyer.email) <= 50 else "N/A",  # half an address may be somebody else's
        "cus_add1": _cut(bill.line1, 50),
        "cus_city": _cut(bill.city, 50),
        "cus_postcode": _cut(bill.postal_code, 30),
        "cus_country": _cut(bill.country, 50),
        "cus_phone": _cut(buyer.phone, 20),
        "shipping_method": "YES" if parcel else "NO",
        "value_a": str(request.payment_id),
        "value_b": _cut(request.order_number, 255),
    }
    if parcel:
        form |= {
            "ship_name": name,
            "ship_add1": _cut(parcel.line1, 50),
            "ship_area": _cut(parcel.region or parcel.city, 50),
            "ship_sub_city": _cut(parcel.city, 50),
            "ship_city": _cut(parcel.city, 50),
            "ship_postcode": _cut(parcel.postal_code, 50),
            "ship_country": _cut(parcel.country, 50),
        }
    return form


def _cut(text: str, limit: int) -> str:
    return " ".join(text.split())[:limit] or "N/A"


def _report(payment: PaymentRef, told: Mapping[str, Any]) -> ChargeReport:
    status = str(told.get("status") or "PENDING")
    paid = status in PAID
    ended = _ENDED.get(status)
    if paid:
        amount, currency = _asked_for(payment, told)
    else:  # attempts that took nothing do not always tell their amount
        amount, currency = payment.amount, payment.currency
    return ChargeReport(
        reference=payment.reference,
        payment_id=str(told.get("value_a") or payment.payment_id),
        state=ChargeState.SUCCEEDED if paid else ended[0] if ended else ChargeState.OPEN,
        amount=amount,
        currency=currency,
        error_code=ended[1].value if ended else "",
        error_message=ended[2] if ended else "",
        gateway_code=str(told.get("error") or status) if ended else "",
        capture_id=str(told.get("bank_tran_id") or "") if paid else "",
        method=_method(str(told.get("card_type") or "")) if paid else None,
        fee=_fee(told) if paid else None,
        held=paid and str(told.get("risk_level")) == "1",
        data={"val_id": str(told["val_id"])} if paid else {},
        excerpt=_excerpt(told),
    )


def _asked_for(payment: PaymentRef, told: Mapping[str, Any]) -> tuple[int, str]:
    """What was asked of the buyer. `amount` is its worth in taka: for an order in taka both have to be ours."""
    try:
        currency = str(told["currency_type"])
        asked = to_minor(told["currency_amount"], currency)
        worth = to_minor(told["amount"], "BDT")
    except (KeyError, ValueError) as error:
        raise GatewayUnavailable("sslcommerz tells no amount") from error
    return (worth if currency == "BDT" and asked == payment.amount else asked), currency


def _fee(told: Mapping[str, Any]) -> int | None:
    if told.get("currency_type") != "BDT":
        return None
    try:
        kept = to_minor(told.get("amount"), "BDT") - to_minor(told.get("store_amount"), "BDT")
    except ValueError:
        return None
    return kept if kept > 0 else None


def _method(card_type: str) -> Method:
    name = card_type.upper().replace(" ", "")
    if name.startswith(_MOBILE):
        return Method.MOBILE
    if name.startswith(_CARD):
        return Method.CARD
    return Method.BANK if "IB" in name or "BANK" in name else Method.OTHER


def _excerpt(told: Mapping[str, Any]) -> dict[str, str]:
    wanted = ("status", "val_id", "bank_tran_id", "card_type", "card_brand", "risk_level", "risk_title", "tran_date")
    kept = {name: str(told[name])[:100] for name in wanted if told.get(name) is not None}
    digits = re.sub(r"\D", "", str(told.get("card_no") or ""))
    return kept | ({"card_last4": digits[-4:]} if len(digits) >= 4 else {})


def _refund_report(refund: RefundRequest, outcome: RefundOutcome, reference: str, reason: str = "") -> RefundReport:
    failed = outcome is RefundOutcome.FAILED
    return RefundReport(
        reference=reference,
        outcome=outcome,
        amount=refund.amount,
        currency=refund.currency,
        refund_id=str(refund.refund_id),
        error_code=ErrorCode.NOT_REFUNDABLE if failed else None,
        gateway_code=reason if failed else "",
        error_message="SSLCommerz cancelled the refund." if failed else "",
    )
