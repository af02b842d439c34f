"""SSLCommerz as its documents describe it: sessions, IPN with `verify_sign`, validation, query, refunds.

It shares no code with our adapter. What it refuses, it refuses as the real one does: with HTTP 200 and a reason.
"""

import hashlib
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateways.fakes.base import operation, serve
from tests.gateways.fakes.hosted import Hosted, Mail, go_by_post, is_callback, page

STORE_ID, PASSWORD = "katstore001", "katstore001@ssl"
REQUIRED = {
    "total_amount": 12, "currency": 3, "tran_id": 30, "success_url": 255, "fail_url": 255, "cancel_url": 255,
    "product_name": 255, "product_category": 50, "product_profile": 50, "cus_name": 50, "cus_email": 50,
    "cus_add1": 50, "cus_city": 50, "cus_postcode": 30, "cus_country": 50, "cus_phone": 20, "shipping_method": 50,
    "num_of_item": 10,
}  # fmt: skip
TO_SHIP = ("ship_name", "ship_add1", "ship_city", "ship_postcode", "ship_country")
PROFILES = {
    "general", "physical-goods", "non-physical-goods", "airline-tickets", "travel-vertical", "telecom-vertical",
}  # fmt: skip
RATES = {"BDT": Decimal(1), "USD": Decimal(120), "EUR": Decimal(130)}
LACKING = ("val_id", "store_amount", "risk_level", "risk_title")
"""What messages about attempts that took nothing do not have."""


@dataclass
class Attempt:
    status: str
    bank_tran_id: str
    amount: Decimal
    currency: str
    risk: Any = "0"
    val_id: str = ""
    validated: bool = False
    refunded: Decimal = Decimal(0)


@dataclass
class Session:
    key: str
    form: dict[str, str]
    attempts: list[Attempt] = field(default_factory=list)


@dataclass
class MadeRefund:
    ref_id: str
    trans_id: str
    attempt: Attempt
    amount: Decimal
    status: str = "processing"


def signature(form: dict[str, str], names: list[str], password: str) -> str:
    parts = [(name, form.get(name, "")) for name in names]
    parts.append(("store_passwd", hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()))
    text = "&".join("=".join(part) for part in sorted(parts))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class SslcommerzFake(Hosted):
    def forget(self) -> None:
        super().forget()
        self.sessions: dict[str, Session] = {}
        self.refunds: dict[str, MadeRefund] = {}
        self.counter = self.first
        self.knows_refund_ids = True

    def routes(self) -> list[Route]:
        return [
            Route("/gwprocess/v4/api.php", self.begin, methods=["POST"]),
            Route("/validator/api/validationserverAPI.php", self.validate, methods=["GET"]),
            Route("/validator/api/merchantTransIDvalidationAPI.php", self.query, methods=["GET"]),
            Route("/EasyCheckOut/{key}", self.checkout, methods=["GET", "POST"]),
        ]

    # Their API ------------------------------------------------------------------------------------

    @operation("START")
    async def begin(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        form = {} if "x-www-form-urlencoded" not in kind else {k: str(v) for k, v in (await request.form()).items()}
        reason = self._fault(form)
        if reason:
            return JSONResponse({"status": "FAILED", "failedreason": reason, "sessionkey": "", "GatewayPageURL": ""})
        self.counter += 1
        key = f"SESSION{self.counter:025d}"
        self.sessions[form["tran_id"]] = Session(key, form)
        address = str(request.url_for("checkout", key=key))
        return JSONResponse(
            {
                "status": "SUCCESS",
                "failedreason": "",
                "sessionkey": key,
                "GatewayPageURL": address,
                "gw": {},
                "desc": [],
            }
        )

    def _fault(self, form: dict[str, str]) -> str:
        if (form.get("store_id"), form.get("store_passwd")) != (STORE_ID, PASSWORD):
            return "Store Credential Error Or Store is De-active"
        for name, limit in REQUIRED.items():
            if not 0 < len(form.get(name, "")) <= limit:
                return f"Invalid Information! '{name}' is missing or empty or too long."
        try:
            amount = Decimal(form["total_amount"])
        except InvalidOperation:
            return "Invalid amount"
        rate = RATES.get(form["currency"])
        if rate is None:
            return "Invalid currency"
        if not re.fullmatch(r"\d+(\.\d{1,2})?", form["total_amount"]) or not 10 <= amount * rate <= 500_000:
            return "Amount must be from 10.00 to 500000.00 BDT"
        return self._small_fault(form)

    def _small_fault(self, form: dict[str, str]) -> str:
        if form["tran_id"] in self.sessions:
            return "Duplicate tran_id"
        if form["product_profile"] not in PROFILES:
            return "Invalid product_profile"
        if form["shipping_method"] not in ("YES", "NO", "Courier", "SSLCOMMERZ_LOGISTIC"):
            return "Invalid shipping_method"
        if form["shipping_method"] == "YES" and not all(form.get(name) for name in TO_SHIP):
            return "Shipping address is missing"
        urls = [form[name] for name in ("success_url", "fail_url", "cancel_url")] + [form.get("ipn_url", "")]
        if not all(is_callback(url) for url in urls if url) or len(urls[-1]) > 255:
            return "Invalid URL"
        return "" if "@" in form["cus_email"] else "Invalid cus_email"

    @operation("VERIFY")
    async def validate(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if not self._knows(asked):
            return JSONResponse({"APIConnect": "INVALID_REQUEST"})
        for session in self.sessions.values():
            for attempt in session.attempts:
                if attempt.val_id and attempt.val_id == asked.get("val_id"):
                    told = self._fields(session, attempt) | {"APIConnect": "DONE", "gw_version": "4.00"}
                    told["status"] = "VALIDATED" if attempt.validated else "VALID"
                    told["risk_level"] = attempt.risk  # a number here, when the test says so
                    attempt.validated = True
                    return JSONResponse(told)
        return JSONResponse({"APIConnect": "DONE", "status": "INVALID_TRANSACTION"})

    async def query(self, request: Request) -> Response:
        """One address for four questions: the parameters tell which."""
        asked = dict(request.query_params)
        if "bank_tran_id" in asked:
            return await self.refund(request)
        if "refund_ref_id" in asked:
            return await self.refund_status(request)
        return await self.attempts(request)

    @operation("VERIFY")
    async def attempts(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if not self._knows(asked):
            return JSONResponse({"APIConnect": "INVALID_REQUEST"})
        session = self.sessions.get(asked.get("tran_id", ""))
        made = [self._fields(session, each) for each in session.attempts] if session else []
        return JSONResponse({"APIConnect": "DONE", "no_of_trans_found": len(made), "element": made})

    @operation("REFUND")
    async def refund(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if not self._knows(asked):
            return JSONResponse({"APIConnect": "INVALID_REQUEST"})
        answer = {"APIConnect": "DONE", "bank_tran_id": asked["bank_tran_id"], "trans_id": "", "refund_ref_id": ""}
        trans_id = asked.get("refund_trans_id", "")
        earlier = next((each for each in self.refunds.values() if each.trans_id == trans_id), None)
        if earlier and self.knows_refund_ids:
            return JSONResponse(answer | {"status": "success", "refund_ref_id": earlier.ref_id, "errorReason": ""})
        attempt = self._attempt_of(asked["bank_tran_id"])
        reason = self._refund_fault(asked, attempt)
        if reason or attempt is None:
            return JSONResponse(answer | {"status": "failed", "errorReason": reason})
        self.counter += 1
        made = MadeRefund(f"REF{self.counter:012d}", trans_id, attempt, Decimal(asked["refund_amount"]))
        self.refunds[made.ref_id] = made
        attempt.refunded += made.amount
        return JSONResponse(answer | {"status": "success", "refund_ref_id": made.ref_id, "errorReason": ""})

    def _refund_fault(self, asked: dict[str, str], attempt: Attempt | None) -> str:
        trans_id, amount = asked.get("refund_trans_id", ""), asked.get("refund_amount", "")
        if attempt is None:
            return "Transaction not found"
        if not 0 < len(trans_id) <= 30:
            return "refund_trans_id is required"
        if not re.fullmatch(r"\d+\.\d\d", amount) or not 0 < len(asked.get("refund_remarks", "")) <= 255:
            return "Invalid refund_amount or refund_remarks"
        if Decimal(amount) > attempt.amount - attempt.refunded:
            return "Refund amount is more than what is left"
        return "Refund is not allowed" if self.refunds_refused else ""

    @operation("FIND_REFUND")
    async def refund_status(self, request: Request) -> Response:
        asked = dict(request.query_params)
        made = self.refunds.get(asked["refund_ref_id"])
        if not self._knows(asked) or made is None:
            return JSONResponse({"APIConnect": "INVALID_REQUEST"})
        if self.deliver:  # for people, days have gone by when somebody asks
            made.status = "refunded"
        told = {"refund_ref_id": made.ref_id, "status": made.status, "initiated_on": "", "refunded_on": ""}
        return JSONResponse({"APIConnect": "DONE", **told, "errorReason": ""})

    def _knows(self, asked: dict[str, str]) -> bool:
        mine = (asked.get("store_id"), asked.get("store_passwd")) == (STORE_ID, PASSWORD)
        return mine and asked.get("format") == "json"

    def _attempt_of(self, bank_tran_id: str) -> Attempt | None:
        made = [each for session in self.sessions.values() for each in session.attempts]
        return next((each for each in made if each.bank_tran_id == bank_tran_id and each.val_id), None)

    # The buyer ------------------------------------------------------------------------------------

    async def checkout(self, request: Request) -> Response:
        session = next((each for each in self.sessions.values() if each.key == request.path_params["key"]), None)
        if session is None:
            return Response(status_code=404)
        form = session.form
        if request.method == "GET":
            buttons = {"VALID": "Success", "FAILED": "Fail", "CANCELLED": "Cancel"}
            amount = f"{form['total_amount']} {form['currency']}"
            return page("SSLCommerz", amount, buttons, about=form["product_name"])
        status = str((await request.form()).get("act"))
        attempt = self._act(session, status)
        target = {"VALID": "success_url", "FAILED": "fail_url"}.get(status, "cancel_url")
        return go_by_post(form[target], self._message(session, attempt))

    def _act(self, session: Session, status: str, risk: Any = "0") -> Attempt:
        self.counter += 1
        form = session.form
        attempt = Attempt(status, f"BANK{self.counter:016d}", Decimal(form["total_amount"]), form["currency"], risk)
        attempt.val_id = f"2601{self.counter:020d}" if status == "VALID" else ""
        session.attempts.append(attempt)
        self.send(self._mail(session, attempt))
        return attempt

    def _fields(self, session: Session, attempt: Attempt) -> dict[str, Any]:
        worth = attempt.amount * RATES[attempt.currency]
        told = {
            "status": attempt.status, "tran_date": "2026-01-15 10:20:30", "tran_id": session.form["tran_id"],
            "val_id": attempt.val_id, "amount": f"{worth:.2f}", "store_amount": f"{worth * Decimal('0.975'):.2f}",
            "currency": "BDT", "bank_tran_id": attempt.bank_tran_id, "card_type": "VISA-Dutch Bangla",
            "card_no": "411111XXXXXX1111", "card_issuer": "TEST BANK & CO.", "card_brand": "VISA",
            "card_issuer_country": "Bangladesh", "card_issuer_country_code": "BD", "currency_type": attempt.currency,
            "currency_amount": f"{attempt.amount:.2f}", "currency_rate": f"{RATES[attempt.currency]:.4f}",
            "base_fair": "0.00", "value_a": session.form.get("value_a", ""),
            "value_b": session.form.get("value_b", ""), "risk_level": str(attempt.risk),
            "risk_title": "Safe" if str(attempt.risk) == "0" else "Risky",
        }  # fmt: skip
        return {name: value for name, value in told.items() if attempt.val_id or name not in LACKING}

    def _message(self, session: Session, attempt: Attempt) -> dict[str, str]:
        form = self._fields(session, attempt) | {"store_id": STORE_ID, "error": "" if attempt.val_id else "Declined"}
        names = sorted(form)
        form["verify_key"] = ",".join(names)
        form["verify_sign"] = signature(form, names, PASSWORD)
        form["verify_sign_sha2"] = "not-documented"
        return form

    def _mail(self, session: Session, attempt: Attempt) -> Mail:
        body = urlencode(self._message(session, attempt))
        kind = "application/x-www-form-urlencoded"
        return Mail(session.form["tran_id"], session.form.get("ipn_url", ""), body, kind)

    # Tests ----------------------------------------------------------------------------------------

    def control_act(self, sent: dict[str, Any]) -> Any:
        self._act(self.sessions[sent["reference"]], sent["status"], sent.get("risk", "0"))

    def control_returns(self, sent: dict[str, Any]) -> Any:
        session = self.sessions[sent["reference"]]
        attempts = session.attempts or [Attempt("CANCELLED", "", Decimal(session.form["total_amount"]), "BDT")]
        return self._message(session, attempts[-1])

    def control_misreport(self, sent: dict[str, Any]) -> Any:
        session = self.sessions[sent["reference"]]
        for attempt in session.attempts:
            attempt.amount += Decimal(sent["amount_off"]) / 100
            attempt.currency = sent["currency"] or attempt.currency
        self.mail = [
            self._mail(session, session.attempts[-1]) if each.about == sent["reference"] else each for each in self.mail
        ]

    def control_trust(self, sent: dict[str, Any]) -> Any:
        """Whether a `refund_trans_id` that comes again is known again."""
        self.knows_refund_ids = sent["refund_ids"]

    def control_finish_refunds(self, sent: dict[str, Any]) -> Any:
        for made in self.refunds.values():
            made.status = sent.get("status", "refunded") if made.status == "processing" else made.status
            if made.status == "cancelled":
                made.attempt.refunded -= made.amount

    def control_sums(self, sent: dict[str, Any]) -> Any:
        made = [each for each in self.sessions[sent["reference"]].attempts if each.val_id]
        back = [each.amount for each in self.refunds.values() if each.attempt in made and each.status == "refunded"]
        return {"taken": int(sum(each.amount for each in made) * 100), "given_back": int(sum(back) * 100)}


if __name__ == "__main__":
    serve(SslcommerzFake())
