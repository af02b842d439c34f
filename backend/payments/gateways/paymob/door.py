"""How Paymob is asked: by the secret key, or where it wants that for questions, by the token of the old API key."""

import threading
import time
from typing import Any

import httpx

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.base import ErrorCode, GatewayRefused, GatewayUnavailable
from backend.payments.gateways.http import GatewayHttp

TOKEN_S = 50 * 60
"""Tokens live for an hour."""


class PaymobDoor:
    def __init__(self, account: Account) -> None:
        self._http = GatewayHttp("paymob", account["api_url"], timeout_s=float(account["timeout_s"]))
        self._secret_key, self._api_key = account["secret_key"], account["api_key"]
        self._token, self._token_until = "", 0.0
        self._lock = threading.Lock()

    def post(self, path: str, sent: dict[str, Any]) -> httpx.Response:
        """With the secret key, once."""
        return self._http.post(path, json=sent, headers={"Authorization": f"Token {self._secret_key}"})

    def ask(self, method: str, path: str, sent: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """A question that changes nothing; None for 404. Raises GatewayUnavailable for every other refusal too."""
        answer = self._question(method, path, sent)
        if answer.status_code == 401 and self._api_key:
            self._token = ""
            answer = self._question(method, path, sent)
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise GatewayUnavailable(f"paymob does not let us ask: {answer.status_code}")
        return self._http.json(answer)

    def may_ask(self, method: str, path: str, sent: dict[str, Any]) -> bool:
        """Whether a question is answered at all, be it by 404."""
        answer = self._question(method, path, sent)
        if answer.status_code in (401, 403):
            return False
        self._http.json(answer)
        return True

    def json(self, answer: httpx.Response) -> dict[str, Any]:
        return self._http.json(answer)

    def token(self) -> str:
        """Of the old API. Raises GatewayRefused where the key is wrong."""
        with self._lock:
            if self._token and time.monotonic() < self._token_until:
                return self._token
        answer = self._http.post("/api/auth/tokens", json={"api_key": self._api_key}, repeatable=True)
        if answer.status_code >= 400:
            raise GatewayRefused("Paymob does not take the API key.", code=ErrorCode.MISCONFIGURED)
        token = str(self._http.json(answer).get("token") or "")
        if not token:
            raise GatewayUnavailable("paymob gave no token")
        with self._lock:
            self._token, self._token_until = token, time.monotonic() + TOKEN_S
        return token

    def _question(self, method: str, path: str, sent: dict[str, Any] | None) -> httpx.Response:
        try:
            allowed = f"Bearer {self.token()}" if self._api_key else f"Token {self._secret_key}"
        except GatewayRefused as error:
            raise GatewayUnavailable(str(error)) from error
        return self._http.request(method, path, repeatable=True, json=sent, headers={"Authorization": allowed})


def refusal(answer: httpx.Response, told: dict[str, Any]) -> tuple[ErrorCode, str]:
    """Our word and Paymob's for a status of 4xx. Its texts may repeat what we sent: only where they stand is kept."""
    named = sorted(name for name in told if name not in ("detail", "message"))
    code = f"{answer.status_code} {' '.join(named)}".strip()[:100]
    if answer.status_code in (401, 403, 404) or "integrations" in told:
        return ErrorCode.MISCONFIGURED, code
    if "amount" in told or "amount_cents" in told:
        return ErrorCode.INVALID_AMOUNT, code
    return ErrorCode.CURRENCY_NOT_SUPPORTED if "currency" in told else ErrorCode.INVALID_REQUEST, code
