"""PayPal's own client, mended: the SDK's `Api` behind our HTTP door.

As it comes, the SDK waits for ever, calls itself without end while PayPal answers 401, gives some errors back as if
they were answers, and writes keys and bodies to the log outside of live mode. Here every answer that is not a success
is an exception, and nothing is logged.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import paypalrestsdk
from paypalrestsdk import exceptions as sdk

from backend.core import clock
from backend.payments.gateways.base import Account, GatewayUnavailable
from backend.payments.gateways.http import GatewayHttp

ID = re.compile(r"[A-Z0-9]{1,36}")
REQUEST_ID = "PayPal-Request-Id"
BUSY = frozenset({"PREVIOUS_REQUEST_IN_PROGRESS", "ORDER_COMPLETION_IN_PROGRESS"})
RENEW_EARLY = timedelta(seconds=60)
FALLBACK_LIFE_S = 300
"""How long a token is used whose answer does not say how long it lives."""
_WORD = re.compile(r"[A-Z0-9_]{1,100}")


class CredentialsRefused(GatewayUnavailable):
    """PayPal does not know our client id and secret, or takes no token that it gives us."""


class Refusal(Exception):
    """A 4xx that PayPal explains. `issue` is its word for it; nothing that we sent is in it."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        details = told.get("details")
        first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
        words = (first.get("issue"), told.get("name"), f"HTTP_{status}")
        self.status = status
        self.issue = next(word for word in words if isinstance(word, str) and _WORD.fullmatch(word))
        self.debug_id = str(told.get("debug_id", ""))[:40]
        super().__init__(f"PayPal: {self.issue}" + (f" (debug id {self.debug_id})" if self.debug_id else ""))


@dataclass(frozen=True, slots=True)
class Token:
    header: str
    until: datetime


class Api(paypalrestsdk.Api):  # type: ignore[misc]  # it has no types
    """One account's client; threads share it. Every call raises Refusal, or GatewayUnavailable where it may have acted.

    `get`, `post` and the other verbs are the SDK's. A POST is tried again only with a request id.
    """

    def __init__(self, account: Account, *, transport: httpx.BaseTransport | None = None) -> None:
        url = account["api_url"].rstrip("/")
        super().__init__(  # in "live" mode the SDK itself would keep keys and bodies to itself
            mode="live",
            client_id=account["client_id"],
            client_secret=account["client_secret"],
            endpoint=url,
            token_endpoint=url,
        )
        self._door = GatewayHttp("paypal", url, timeout_s=float(account["timeout_s"]), transport=transport)
        self._token: Token | None = None

    def post_raw(self, path: str, body: bytes | None, *, repeatable: bool = False) -> dict[str, Any]:
        """Send a body as it is, byte for byte; None for no body."""
        return self.request(f"{self.endpoint}{path}", "POST", body, repeatable=repeatable)

    def request(
        self,
        url: str,
        method: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        refresh_token: None = None,
        *,
        repeatable: bool = False,
    ) -> dict[str, Any]:
        """A token that PayPal takes no more is renewed once."""
        sent = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        again = repeatable or method == "GET" or REQUEST_ID in (headers or {})
        for _ in range(2):
            token = self._current_token()
            try:
                own = {**self.headers(token=token), **(headers or {})}
                return self.http_call(url, method, data=sent, headers=own, repeatable=again)
            except sdk.UnauthorizedAccess:
                if self._token is token:
                    self._token = None
        raise CredentialsRefused("PayPal takes no token that it gives to this account") from None

    def headers(
        self, refresh_token: None = None, headers: dict[str, str] | None = None, *, token: Token | None = None
    ) -> dict[str, str]:
        """What each call has. The SDK would send a call's own headers to the token's address too."""
        return {
            "Authorization": (token or self._current_token()).header,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": self.user_agent,
        }

    def http_call(self, url: str, method: str, **sent: Any) -> dict[str, Any]:
        """One call through our door. Raises sdk.UnauthorizedAccess, Refusal and GatewayUnavailable."""
        answer = self._door.request(
            method, url, repeatable=sent["repeatable"], content=sent.get("data"), headers=sent["headers"]
        )
        try:
            told = self.handle_response(answer, answer.content.decode(errors="replace"))
        except sdk.UnauthorizedAccess:
            raise sdk.UnauthorizedAccess(None) from None  # without the answer: it may name what we sent
        except sdk.ClientError:
            self._refuse(answer)
        except (sdk.ConnectionError, ValueError):
            raise GatewayUnavailable(f"PayPal made no sense: status {answer.status_code}") from None
        if not isinstance(told, dict):
            raise GatewayUnavailable("PayPal made no sense: no JSON object")
        return told

    def get_token_hash(
        self, authorization_code: None = None, refresh_token: None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A new token. Raises CredentialsRefused and GatewayUnavailable."""
        own = {
            "Authorization": f"Basic {self.basic_auth()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "User-Agent": self.user_agent,
        }
        try:
            return self.http_call(
                f"{self.token_endpoint}/v1/oauth2/token",
                "POST",
                data=b"grant_type=client_credentials",
                headers=own,
                repeatable=True,
            )
        except (sdk.UnauthorizedAccess, Refusal):
            raise CredentialsRefused("PayPal does not know this account's client id and secret") from None

    def _current_token(self) -> Token:
        """Kept until shortly before its end. Two threads may both ask for one: each is good."""
        token = self._token
        if token is not None and clock.now() < token.until:
            return token
        asked_at = clock.now()
        told = self.get_token_hash()
        word, life = told.get("access_token"), told.get("expires_in")
        if not isinstance(word, str) or not word.isascii() or not word.isprintable() or not word:
            raise GatewayUnavailable("PayPal gave no token")
        seconds = life if isinstance(life, int) and 0 < life < 10**7 else FALLBACK_LIFE_S
        token = Token(header=f"Bearer {word}", until=asked_at + timedelta(seconds=seconds) - RENEW_EARLY)
        self._token = token
        return token

    def _refuse(self, answer: httpx.Response) -> None:
        refusal = Refusal(answer.status_code, self._door.json(answer))
        if answer.status_code == 409 or refusal.issue in BUSY:
            raise GatewayUnavailable("PayPal works on the same request still") from None
        raise refusal from None
