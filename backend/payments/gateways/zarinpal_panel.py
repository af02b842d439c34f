"""Zarinpal's GraphQL API, the panel's: refunds after the first half hour, and of parts. No sandbox, no keys."""

from collections.abc import Iterator
from typing import Any

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.amounts import to_major
from backend.payments.gateways.base import ErrorCode, GatewayUnavailable, PaymentRef, RefundRefused
from backend.payments.gateways.http import GatewayHttp

LEAST_RIAL = 20_000
PAGE, PAGES = 100, 5
PAID = ("VERIFIED", "REFUNDED")
SESSIONS = """query Sessions($terminal_id: ID!, $filter: FilterEnum, $offset: Int, $limit: Int) {
  Session(terminal_id: $terminal_id, filter: $filter, offset: $offset, limit: $limit) { id amount description }
}"""
ADD_REFUND = """mutation AddRefund($session_id: ID!, $amount: BigInteger!, $description: String,
  $method: InstantPayoutActionTypeEnum, $reason: RefundReasonEnum) {
  resource: AddRefund(session_id: $session_id, amount: $amount, description: $description, method: $method,
    reason: $reason) { id amount }
}"""


class ZarinpalPanel:
    def __init__(self, account: Account, timeout_s: float) -> None:
        self._terminal_id, self._method = account["terminal_id"], account["refund_method"]
        self._http = GatewayHttp(
            "zarinpal-panel",
            account["graphql_url"],
            timeout_s=timeout_s,
            headers={"Authorization": f"Bearer {account['access_token']}", "Accept": "application/json"},
        )

    def session_of(self, payment: PaymentRef) -> str:
        """The panel's number of a payment: the one session with our payment's id in its description, and its amount.

        Raises RefundRefused where there is no such session, or several: staff find it in the panel.
        """
        rial = int(to_major(payment.amount, payment.currency, digits=0))
        found = {
            str(each.get("id"))
            for each in self._listed()
            if str(payment.payment_id) in str(each.get("description")) and str(each.get("amount")) == str(rial)
        }
        if len(found) != 1:
            raise RefundRefused("The payment is not found in Zarinpal's panel: give it back there.")
        return found.pop()

    def check(self) -> None:
        """Raises RefundRefused where the token or the terminal is not known."""
        self._ask(
            SESSIONS,
            {"terminal_id": self._terminal_id, "filter": PAID[0], "offset": 0, "limit": 1},
            repeatable=True,
        )

    def give_back(self, session_id: str, rial: int) -> str:
        """Zarinpal's id of the refund. Never repeated: it knows no keys. Raises RefundRefused."""
        if rial < LEAST_RIAL:
            raise RefundRefused("Zarinpal gives back 20,000 rial or more.", code=ErrorCode.INVALID_AMOUNT)
        wanted = {
            "session_id": session_id,
            "amount": rial,
            "description": "Refund",
            "method": self._method,
            "reason": "CUSTOMER_REQUEST",
        }
        made = self._ask(ADD_REFUND, wanted, repeatable=False).get("resource")
        if not isinstance(made, dict) or not made.get("id"):
            raise GatewayUnavailable("zarinpal answered a refund with nothing that makes sense")
        return str(made["id"])

    def _listed(self) -> Iterator[dict[str, Any]]:
        """The latest sessions that were paid, newest first as the panel lists them."""
        for state in PAID:
            for page in range(PAGES):
                wanted = {"terminal_id": self._terminal_id, "filter": state, "offset": page * PAGE, "limit": PAGE}
                sessions = self._ask(SESSIONS, wanted, repeatable=True).get("Session")
                listed = [each for each in sessions if isinstance(each, dict)] if isinstance(sessions, list) else []
                yield from listed
                if len(listed) < PAGE:
                    break

    def _ask(self, query: str, variables: dict[str, Any], *, repeatable: bool) -> dict[str, Any]:
        answer = self._http.post("", json={"query": query, "variables": variables}, repeatable=repeatable)
        if answer.status_code in (401, 403):
            raise RefundRefused(
                "Zarinpal does not take the access token.",
                code=ErrorCode.MISCONFIGURED,
                gateway_code=str(answer.status_code),
            )
        told = self._http.json(answer)
        if told.get("errors"):
            raise RefundRefused("Zarinpal refused the refund.", gateway_code=_reason(told["errors"]))
        data = told.get("data")
        if not isinstance(data, dict):
            raise GatewayUnavailable("zarinpal's panel answered with nothing")
        return data


def _reason(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    return str(first.get("message") if isinstance(first, dict) else first)[:100]
