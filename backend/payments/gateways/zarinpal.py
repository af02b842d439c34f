"""Zarinpal (Iran): a hosted page, no messages, nothing signed. Only `verify` completes a sale: it takes the money.

Amounts go out in rial or in toman (10 rial), and the same number in the same unit is verified. Money that a buyer paid
and nobody verifies does not go back by itself: `unclaimed` lists it, and the timetable asks.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from backend.payments.gateways.amounts import to_major
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
from backend.payments.gateways.zarinpal_panel import ZarinpalPanel

logger = logging.getLogger(__name__)
PAID = (100, 101)
"""The first verification, and every later one."""
WRONG_AMOUNT, NOT_PAID, UNKNOWN, TOO_MANY = -50, -51, -54, -12
OURS_TO_MEND = (-10, -11, -14, -15, -16, -17, -18, -19)
RIAL_PER_TOMAN = 10
_AUTHORITY = re.compile(r"[AS][0-9A-Za-z]{35}")
_MOBILE = re.compile(r"(?:\+98|0098|0)?(9\d{9})", re.ASCII)
_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")


class ZarinpalGateway:
    id = "zarinpal"
    name = "Zarinpal"
    merchant_account = ""
    capabilities = Capabilities(
        flow=Flow.REDIRECT,
        currencies=frozenset({"IRR"}),
        minimum={"IRR": 10_000},
        idempotent_refunds=False,
        webhooks=False,
        unclaimed=True,
        looks=True,
        checks=True,
    )

    def __init__(self, account: Account) -> None:
        self.account = account
        self._address = account["api_url"].rstrip("/")
        timeout_s = float(account["timeout_s"])
        self._http = GatewayHttp(self.id, self._address, timeout_s=timeout_s, headers={"Accept": "application/json"})
        self._panel = ZarinpalPanel(account, timeout_s) if account["access_token"] else None

    def start(self, request: StartRequest) -> Started:
        """Every call makes another authority: one whose answer was lost is never paid."""
        unit = "IRT" if self.account["unit"] == "IRT" and _rial(request) % RIAL_PER_TOMAN == 0 else "IRR"
        sent = {
            "merchant_id": self.account["merchant_id"],
            "amount": _in_unit(request, unit),
            "currency": unit,
            "description": f"{request.description[:400]} {request.payment_id}",
            "callback_url": request.callback_url,
            "metadata": _metadata(request),
        }
        data, errors = self._tell("request", sent)
        code, authority = _code(data, errors), str(data.get("authority") or "")
        if code < 0:
            raise GatewayRefused("Zarinpal refused to begin.", code=_error(code, errors), gateway_code=str(code))
        if code != 100 or not _AUTHORITY.fullmatch(authority):
            raise GatewayUnavailable("zarinpal gave no authority")
        page = f"{self._address}/pg/StartPay/{authority}"
        return Started(reference=authority, next_action={"type": "REDIRECT", "url": page}, data={"unit": unit})

    def verify(self, payment: PaymentRef) -> ChargeReport | None:
        """Takes the money of a payment that the buyer has made, once: what was taken before is told again.

        Whether there is something to take is asked first, unless the buyer came back with OK. NOK means little, as
        anybody can send it: a buyer who paid after all is still heard.
        """
        if not payment.reference:
            return None  # the answer to start was lost: nobody has that authority's page
        if payment.data.get("returned") == "OK":
            data, errors = self._verify(payment)
            if _code(data, errors) != NOT_PAID:
                return self._verified(payment, data, errors)
        status = self._inquire(payment)
        if status in ("PAID", "VERIFIED"):
            return self._verified(payment, *self._verify(payment))
        if status == "REVERSED" and payment.captured:
            return _report(payment, ChargeState.SUCCEEDED, amount_refunded=payment.captured)
        if status == "REVERSED":
            reversed_ = (ErrorCode.DECLINED, "The payment was reversed.", status)
            return _report(payment, ChargeState.CANCELLED, reversed_)
        if status == "FAILED":
            return _report(payment, ChargeState.FAILED, (ErrorCode.CARD_DECLINED, "The payment was declined.", status))
        if status == "IN_BANK" and payment.data.get("returned") == "NOK":
            left = (ErrorCode.ABANDONED, "The buyer left the payment page.", "NOK")
            return _report(payment, ChargeState.OPEN, left)
        return _report(payment, ChargeState.OPEN) if status else None

    def capture(self, payment: PaymentRef, *, amount: int) -> ChargeReport:
        raise GatewayRefused("Zarinpal's verification takes the money.", code=ErrorCode.INVALID_REQUEST)

    def cancel(self, payment: PaymentRef) -> ChargeReport:
        raise GatewayRefused("Zarinpal cannot cancel a payment.", code=ErrorCode.INVALID_REQUEST)

    def refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport:
        """All of it by reversal, free within half an hour; else through the panel's API, where there is a token."""
        if refund.amount == payment.amount and not payment.refunded:
            data, errors = self._tell("reverse", self._about(payment))
            code = _code(data, errors)
            if code == 100 or (code < 0 and self._inquire(payment) == "REVERSED"):
                return _made(refund, f"{payment.reference}:reversed")
            if code > 0:
                raise GatewayUnavailable("zarinpal answered a reversal with nothing that makes sense")
            if self._panel is None:
                raise RefundRefused("Zarinpal does not reverse this payment any more.", gateway_code=str(code))
        if self._panel is None:
            raise RefundRefused("A part can be given back in Zarinpal's panel only.")
        session_id = self._panel.session_of(payment)
        return _made(refund, self._panel.give_back(session_id, _rial(refund)))

    def find_refund(self, payment: PaymentRef, refund: RefundRequest) -> RefundReport | None:
        """A reversal can be looked up. What the panel's API was asked for without an answer cannot."""
        if refund.reference or (refund.amount == payment.amount and self._inquire(payment) == "REVERSED"):
            return _made(refund, refund.reference or f"{payment.reference}:reversed")
        if self._panel is None:
            return None
        raise GatewayUnavailable("zarinpal cannot tell of a refund that it did not answer")

    def read_return(self, payment: PaymentRef, sent: Mapping[str, str]) -> Mapping[str, str]:
        status = sent.get("Status", "").upper()
        if sent.get("Authority") != payment.reference or status not in ("OK", "NOK"):
            return {}
        return {"returned": status}

    def parse_webhook(self, message: IncomingMessage) -> GatewayMessage:
        raise SignatureInvalid("Zarinpal sends no messages")

    read_webhook = parse_webhook

    def look(self, payment: PaymentRef) -> ChargeReport | None:
        """By inquiry, which tells no amount. What a buyer paid and nobody verified is not taken yet."""
        status = self._inquire(payment) if payment.reference else ""
        if not status:
            return None
        if status == "REVERSED" and payment.captured:
            return _report(payment, ChargeState.SUCCEEDED, amount_refunded=payment.captured)
        states = {"VERIFIED": ChargeState.SUCCEEDED, "PAID": ChargeState.APPROVED, "FAILED": ChargeState.FAILED}
        return _report(payment, states.get(status, ChargeState.CANCELLED if status == "REVERSED" else ChargeState.OPEN))

    def is_live(self) -> bool:
        return not is_of(self._address, "sandbox.zarinpal.com")

    def check(self) -> Iterator[Finding]:
        data, errors = self._tell("unVerified", {"merchant_id": self.account["merchant_id"]}, repeatable=True)
        code = _code(data, errors)
        if code != 100:
            raise GatewayRefused("Zarinpal refused the question.", code=_error(code, errors), gateway_code=str(code))
        yield Finding("credentials", "Zarinpal accepts the merchant id.")
        if self._panel is None:
            yield Finding("refunds", "Without ZARINPAL_ACCESS_TOKEN only reversals within half an hour.")
        else:
            self._panel.check()
            yield Finding("refunds", "The panel accepts the access token and knows the terminal.")
        yield Finding("webhook secret", "Zarinpal sends no messages: nothing is signed.")

    def unclaimed(self) -> list[str]:
        """The latest hundred that were paid and that nobody has verified."""
        return [str(each.get("authority")) for each in self._unverified()]

    def _unverified(self) -> list[dict[str, Any]]:
        data, _ = self._tell("unVerified", {"merchant_id": self.account["merchant_id"]}, repeatable=True)
        return [each for each in data.get("authorities") or [] if isinstance(each, dict)]

    def _about(self, payment: PaymentRef) -> dict[str, Any]:
        return {"merchant_id": self.account["merchant_id"], "authority": payment.reference}

    def _verify(self, payment: PaymentRef) -> tuple[dict[str, Any], dict[str, Any]]:
        amount = _in_unit(payment, payment.data.get("unit", "IRR"))
        return self._tell("verify", self._about(payment) | {"amount": amount}, repeatable=True)

    def _verified(self, payment: PaymentRef, data: dict[str, Any], errors: dict[str, Any]) -> ChargeReport | None:
        """What the verification says: only 100 and 101 are money."""
        code = _code(data, errors)
        if code in PAID:
            ref_id = str(data.get("ref_id") or payment.reference)
            return _report(payment, ChargeState.SUCCEEDED, capture_id=ref_id, excerpt=_excerpt(data, code))
        if code == WRONG_AMOUNT:
            logger.error("Zarinpal was paid another amount for payment %s", payment.payment_id)
            return _report(payment, ChargeState.SUCCEEDED, amount=self._paid_amount(payment))
        if code == UNKNOWN:
            return None
        raise GatewayUnavailable(f"zarinpal could not verify: {code}")

    def _paid_amount(self, payment: PaymentRef) -> int:
        """What was paid in place of our amount, for people to see; 0 where it is not told."""
        rial = RIAL_PER_TOMAN if payment.data.get("unit") == "IRT" else 1
        for each in self._unverified():
            amount = each.get("amount")
            if each.get("authority") == payment.reference and isinstance(amount, int) and amount >= 0:
                return amount * rial if amount * rial != payment.amount else 0
        return 0

    def _inquire(self, payment: PaymentRef) -> str:
        """PAID, VERIFIED, IN_BANK, FAILED or REVERSED; empty for an authority that is not known."""
        data, errors = self._tell("inquiry", self._about(payment), repeatable=True)
        status = str(data.get("status") or "")
        if status in ("PAID", "VERIFIED", "IN_BANK", "FAILED", "REVERSED"):
            return status
        if _code(data, errors) in (UNKNOWN, -55):
            return ""
        raise GatewayUnavailable("zarinpal does not tell how a payment stands")

    def _tell(
        self, call: str, sent: dict[str, Any], *, repeatable: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """`data` and `errors` of the answer: one is full, the other an empty list or object, whatever the status."""
        answer = self._http.json(self._http.post(f"/pg/v4/payment/{call}.json", json=sent, repeatable=repeatable))
        data, errors = answer.get("data"), answer.get("errors")
        if isinstance(errors, list):
            errors = next((each for each in errors if isinstance(each, dict)), {})
        data, errors = (each if isinstance(each, dict) else {} for each in (data, errors))
        if not data and not errors:
            raise GatewayUnavailable(f"zarinpal answered {call} with nothing")
        if errors.get("code") == TOO_MANY:
            raise GatewayUnavailable("zarinpal was asked too often")
        return data, errors


GATEWAY = ZarinpalGateway


def _code(data: Mapping[str, Any], errors: Mapping[str, Any]) -> int:
    told = data.get("code", errors.get("code"))
    if isinstance(told, bool) or not isinstance(told, int | str):
        raise GatewayUnavailable("zarinpal answered without a code")
    try:
        return int(told)
    except ValueError:
        raise GatewayUnavailable("zarinpal answered without a code") from None


def _error(code: int, errors: Mapping[str, Any]) -> ErrorCode:
    if code == -9 and "amount" in str(errors.get("validations")):
        return ErrorCode.INVALID_AMOUNT
    if code in OURS_TO_MEND:
        return ErrorCode.MISCONFIGURED
    return {-9: ErrorCode.INVALID_REQUEST, -13: ErrorCode.LIMIT_EXCEEDED}.get(code, ErrorCode.DECLINED)


def _rial(asked: StartRequest | PaymentRef | RefundRequest) -> int:
    return int(to_major(asked.amount, asked.currency, digits=0))


def _in_unit(asked: StartRequest | PaymentRef, unit: str) -> int:
    """12,345 rial are no whole toman: such amounts never get here with IRT."""
    rial = _rial(asked)
    if unit == "IRR":
        return rial
    toman, rest = divmod(rial, RIAL_PER_TOMAN)
    if rest:
        raise ValueError(f"{rial} rial are no whole toman")
    return toman


def _metadata(request: StartRequest) -> dict[str, str]:
    """Texts only; what is not there, or not as Zarinpal writes it, is left out."""
    mobile = _MOBILE.fullmatch(re.sub(r"[\s()-]", "", request.buyer.phone.translate(_DIGITS)))
    metadata = {"order_id": request.order_number, "email": request.buyer.email}
    if mobile:
        metadata["mobile"] = f"0{mobile[1]}"
    return {name: value for name, value in metadata.items() if value}


def _report(
    payment: PaymentRef,
    state: ChargeState,
    error: tuple[ErrorCode, str, str] | None = None,
    *,
    amount: int | None = None,
    amount_refunded: int | None = None,
    capture_id: str = "",
    excerpt: Mapping[str, str] | None = None,
) -> ChargeReport:
    """Zarinpal never tells an amount: it compares the one that it is asked about. `error`: ours, in words, its own."""
    return ChargeReport(
        reference=payment.reference,
        payment_id=str(payment.payment_id),
        state=state,
        amount=payment.amount if amount is None else amount,
        currency=payment.currency,
        error_code=error[0].value if error else "",
        error_message=error[1] if error else "",
        gateway_code=error[2] if error else "",
        amount_refunded=amount_refunded,
        capture_id=capture_id,
        method=Method.CARD if state is ChargeState.SUCCEEDED else None,
        excerpt=excerpt or {},
    )


def _excerpt(data: Mapping[str, Any], code: int) -> dict[str, str]:
    digits = re.sub(r"\D", "", str(data.get("card_pan") or ""))
    kept = {name: str(data[name])[:100] for name in ("ref_id", "fee", "fee_type") if data.get(name) is not None}
    return {"code": str(code)} | kept | ({"card_last4": digits[-4:]} if len(digits) >= 4 else {})


def _made(refund: RefundRequest, reference: str) -> RefundReport:
    return RefundReport(
        reference=reference,
        outcome=RefundOutcome.SUCCEEDED,
        amount=refund.amount,
        currency=refund.currency,
        refund_id=str(refund.refund_id),
    )
