"""Zarinpal as its documents describe it: request, StartPay, verify, inquiry, unVerified, reverse, the panel's GraphQL.

Its time is the real one, moved by the command `age`. Failures come with HTTP 422 or 200, as the real one has both.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateways.fakes.base import operation, serve
from tests.gateways.fakes.hosted import Hosted, go_by_get, is_callback, page

MERCHANT_ID = "3f1b6c52-9d0e-4a77-8c11-5e2f7a90b001"
ACCESS_TOKEN = "kat-access-token-secret"
TERMINAL_ID = "250"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REVERSIBLE_S = 30 * 60
LEAST_RIAL = 20_000
WORDS = {
    -9: "The input params invalid, validation error.",
    -10: "Terminal is not valid, please check merchant_id or ip address.",
    -50: "Session is not valid, amounts values is not the same.",
    -51: "Session is not valid, session is not active paid try.",
    -53: "Session is not this merchant_id session.",
    -54: "Invalid authority.",
    -60: "Session can not be reversed with bank.",
    -61: "Session is not in success status.",
    -62: "Terminal ip limit must be active.",
    -63: "Reverse time is expired.",
}


@dataclass
class Session:
    authority: str
    merchant_id: str
    amount: int
    currency: str
    description: str
    callback_url: str
    number: int
    status: str = "IN_BANK"
    age_s: int = 0
    returned: int = 0

    @property
    def rial(self) -> int:
        return self.amount * (10 if self.currency == "IRT" else 1)


def refusal(code: int, validations: Any = None) -> Response:
    errors = {"code": code, "message": WORDS[code], "validations": validations or []}
    status = {-9: 422, -10: 401, -54: 400}.get(code, 200)
    return JSONResponse({"data": [] if code != -60 else {}, "errors": errors}, status_code=status)


def success(**data: Any) -> Response:
    return JSONResponse({"data": data, "errors": []})


class ZarinpalFake(Hosted):
    def forget(self) -> None:
        super().forget()
        self.sessions: dict[str, Session] = {}
        self.knows_ip = True
        self.refunds: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        calls = {
            "request": self.begin, "verify": self.verify, "inquiry": self.inquiry,
            "unVerified": self.unverified, "reverse": self.reverse,
        }  # fmt: skip
        return [
            *(Route(f"/pg/v4/payment/{name}.json", call, methods=["POST"]) for name, call in calls.items()),
            Route("/pg/StartPay/{authority}", self.pay_page, methods=["GET", "POST"]),
            Route("/api/v4/graphql/", self.graphql, methods=["POST"]),
        ]

    # Their API ------------------------------------------------------------------------------------

    @operation("START")
    async def begin(self, request: Request) -> Response:
        sent = await request.json()
        faults = self._faults(sent)
        if faults:
            return refusal(-9, faults)
        if sent["merchant_id"] != MERCHANT_ID:
            return refusal(-10)
        number = self.first + len(self.sessions) + 1
        authority = f"S{number:035d}"
        self.sessions[authority] = Session(
            authority, sent["merchant_id"], sent["amount"], sent.get("currency", "IRR"), sent["description"],
            sent["callback_url"], 580_000_000 + number,
        )  # fmt: skip
        return success(code=100, message="Success", authority=authority, fee_type="Merchant", fee=100)

    def _faults(self, sent: dict[str, Any]) -> list[dict[str, str]]:
        amount, description, metadata = sent.get("amount"), sent.get("description"), sent.get("metadata", {})
        currency = sent.get("currency", "IRR")
        least = {"IRR": 10_000, "IRT": 1_000}.get(currency, 0)
        texts = isinstance(metadata, dict) and all(isinstance(each, str) and each for each in metadata.values())
        mobile = metadata.get("mobile", "09000000000") if texts else ""
        checks = {
            "merchant_id": bool(UUID.fullmatch(str(sent.get("merchant_id")))),
            "amount": isinstance(amount, int) and not isinstance(amount, bool) and amount >= least,
            "currency": bool(least),
            "description": isinstance(description, str) and 0 < len(description) <= 500,
            "callback_url": is_callback(str(sent.get("callback_url"))),
            "metadata": texts and bool(re.fullmatch(r"09[0-9]{9}", mobile)),
        }
        return [{name: f"The {name} is not valid."} for name, holds in checks.items() if not holds]

    def _session(self, sent: dict[str, Any]) -> Session | Response:
        """The session that a call is about, or what is wrong with the call."""
        if not UUID.fullmatch(str(sent.get("merchant_id"))) or not sent.get("authority"):
            return refusal(-9, [{"authority": "The authority field is required."}])
        if sent["merchant_id"] != MERCHANT_ID:
            return refusal(-10)
        session = self.sessions.get(sent["authority"])
        if session is None:
            return refusal(-54)
        return session if session.merchant_id == sent["merchant_id"] else refusal(-53)

    @operation("VERIFY")
    async def verify(self, request: Request) -> Response:
        sent = await request.json()
        session = self._session(sent)
        if isinstance(session, Response):
            return session
        amount = sent.get("amount")
        if not isinstance(amount, int):
            return refusal(-9, [{"amount": "The amount must be an integer."}])
        if session.status not in ("PAID", "VERIFIED"):
            return refusal(-51)
        if amount != session.amount:
            return refusal(-50)
        first = session.status == "PAID"
        session.status = "VERIFIED"
        return success(
            code=100 if first else 101, message="Paid" if first else "Verified", ref_id=201_000_000 + session.number,
            card_pan="502229******5995", card_hash="0866A6EAEA5CB085E4CF6EF19296BF19", fee_type="Merchant", fee=100,
        )  # fmt: skip

    @operation("VERIFY")
    async def inquiry(self, request: Request) -> Response:
        session = self._session(await request.json())
        if isinstance(session, Response):
            return session
        return success(code=100, message="Success", status=session.status)

    async def unverified(self, request: Request) -> Response:
        if (await request.json()).get("merchant_id") != MERCHANT_ID:
            return refusal(-10)
        paid = [each for each in self.sessions.values() if each.status == "PAID"][-100:]
        listed = [
            {"authority": each.authority, "amount": each.amount, "callback_url": each.callback_url, "referer": "/",
             "date": "2026-01-15 10:20:30"}
            for each in paid
        ]  # fmt: skip
        return success(code=100, message="Success", authorities=listed)

    @operation("REFUND")
    async def reverse(self, request: Request) -> Response:
        session = self._session(await request.json())
        if isinstance(session, Response):
            return session
        if not self.knows_ip:
            return refusal(-62)
        if self.refunds_refused:
            return refusal(-60)
        if session.status not in ("PAID", "VERIFIED"):
            return refusal(-61)
        if session.age_s > REVERSIBLE_S:
            return refusal(-63)
        session.status, session.returned = "REVERSED", session.rial
        return success(code=100, message="Reversed")

    async def graphql(self, request: Request) -> Response:
        sent = await request.json()
        if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            return JSONResponse({"message": "Unauthenticated."}, status_code=401)
        if "AddRefund" in sent["query"]:
            return await self.add_refund(request)
        asked = sent["variables"]
        if asked["terminal_id"] != TERMINAL_ID:
            return JSONResponse({"errors": [{"message": "terminal not found"}], "data": None})
        wanted = {"VERIFIED": "VERIFIED", "PAID": "PAID"}.get(asked.get("filter"))
        listed = [each for each in self.sessions.values() if each.status == wanted]
        listed = listed[asked.get("offset", 0) :][: asked.get("limit", 25)]
        told = [{"id": str(each.number), "amount": each.rial, "description": each.description} for each in listed]
        return JSONResponse({"data": {"Session": told}})

    @operation("REFUND")
    async def add_refund(self, request: Request) -> Response:
        asked = (await request.json())["variables"]
        session = next((each for each in self.sessions.values() if str(each.number) == asked["session_id"]), None)
        if session is None or session.status != "VERIFIED" or self.refunds_refused:
            return JSONResponse({"errors": [{"message": "session is not refundable"}], "data": {"resource": None}})
        rial = asked["amount"]
        fits = isinstance(rial, int) and LEAST_RIAL <= rial <= session.rial - session.returned
        if not fits or asked["method"] not in ("PAYA", "CARD"):
            return JSONResponse({"errors": [{"message": "validation"}], "data": {"resource": None}})
        session.returned += rial
        self.refunds.append({"id": str(700 + len(self.refunds)), "amount": rial, "method": asked["method"]})
        return JSONResponse({"data": {"resource": self.refunds[-1]}})

    # The buyer ------------------------------------------------------------------------------------

    async def pay_page(self, request: Request) -> Response:
        session = self.sessions.get(request.path_params["authority"])
        if session is None:
            return Response(status_code=404)
        if request.method == "GET":
            buttons = {"PAID": "Pay", "FAILED": "Decline", "IN_BANK": "Cancel"}
            return page("Zarinpal", f"{session.amount} {session.currency}", buttons, about=session.description)
        act = str((await request.form()).get("act"))
        if act in ("PAID", "FAILED") and session.status in ("IN_BANK", "FAILED"):
            session.status = act
        return go_by_get(self._back(session))

    def _back(self, session: Session) -> str:
        """The callback's address with its own query kept."""
        ok = session.status in ("PAID", "VERIFIED")
        parts = urlsplit(session.callback_url)
        added = urlencode({"Authority": session.authority, "Status": "OK" if ok else "NOK"})
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))

    # Tests ----------------------------------------------------------------------------------------

    def control_act(self, sent: dict[str, Any]) -> Any:
        self.sessions[sent["reference"]].status = sent["status"]

    def control_age(self, sent: dict[str, Any]) -> Any:
        self.sessions[sent["reference"]].age_s = sent["seconds"]

    def control_forget_ip(self, sent: dict[str, Any]) -> Any:
        self.knows_ip = False

    def control_returns(self, sent: dict[str, Any]) -> Any:
        return urlsplit(self._back(self.sessions[sent["reference"]])).query

    def control_misreport(self, sent: dict[str, Any]) -> Any:
        session = self.sessions[sent["reference"]]
        session.amount = session.amount * 10 if sent["currency"] else session.amount + sent["amount_off"]

    def control_sums(self, sent: dict[str, Any]) -> Any:
        session = self.sessions[sent["reference"]]
        taken = session.rial if session.status in ("VERIFIED", "REVERSED") else 0
        return {"taken": taken, "given_back": session.returned, "status": session.status}


if __name__ == "__main__":
    serve(ZarinpalFake())
