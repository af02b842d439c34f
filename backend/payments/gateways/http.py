"""How adapters talk to their gateways: time-outs, one pool, careful retries, a circuit breaker, no secrets."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import httpx
import orjson
import stamina
from circuitbreaker import CircuitBreaker

from backend.payments.gateways.errors import GatewayUnavailable

CONNECT_S = 3.0
FAILURES = 5
"""So many failures in a row open the circuit: then nobody waits for a gateway that is down."""
RECOVERY_S = 30
ATTEMPTS = 3
_breakers: dict[str, CircuitBreaker] = {}
_lock = threading.Lock()
Answer = TypeVar("Answer")


class CircuitOpen(GatewayUnavailable):
    """Nobody was asked: the gateway has failed too often just now."""


def breaker_of(name: str) -> CircuitBreaker:
    """The circuit breaker of a gateway in this process: one for all its accounts."""
    with _lock:
        if name not in _breakers:
            _breakers[name] = CircuitBreaker(
                failure_threshold=FAILURES,
                recovery_timeout=RECOVERY_S,
                expected_exception=GatewayUnavailable,
                name=f"gateway {name}",
            )
        return _breakers[name]


def close_circuits() -> None:
    """Forget every failure: for tests."""
    for breaker in _breakers.values():
        breaker.reset()


def guarded(gateway: str, call: Callable[[], Answer]) -> Answer:
    """Run a call that may raise GatewayUnavailable behind the gateway's breaker; SDKs use it too."""
    breaker = breaker_of(gateway)
    if breaker.opened:
        raise CircuitOpen(f"{gateway} has not answered lately, and is left alone for a moment")
    with breaker:
        return call()


class GatewayHttp:
    """A gateway's HTTP door. Threads share it: one per account, kept for the life of the process.

    Every failure of transport, status 5xx or 429, and (by `json`) every body that is not what it should be, is
    GatewayUnavailable with neither address nor body in it: some gateways want secrets there.
    """

    def __init__(
        self,
        gateway: str,
        base_url: str,
        *,
        timeout_s: float = 15,
        headers: dict[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.gateway = gateway
        self._client = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            headers=headers,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=20, keepalive_expiry=30),
            transport=transport,
        )

    def get(self, path: str, *, repeatable: bool = True, **sent: Any) -> httpx.Response:
        """Tried again on failure unless `repeatable` says no: at some gateways a GET moves money."""
        return self.request("GET", path, repeatable=repeatable, **sent)

    def post(self, path: str, *, repeatable: bool = False, **sent: Any) -> httpx.Response:
        """Tried once, unless `repeatable` says that the gateway knows it again (an idempotency key) or only reads."""
        return self.request("POST", path, repeatable=repeatable, **sent)

    def request(self, method: str, path: str, *, repeatable: bool, **sent: Any) -> httpx.Response:
        """The answer, whatever its 2xx to 4xx status. `sent` is httpx's (json, data, params, headers …)."""
        attempts = ATTEMPTS if repeatable else 1
        for attempt in stamina.retry_context(on=_worth_repeating, attempts=attempts, wait_initial=0.1, wait_max=1.0):
            with attempt:
                return guarded(self.gateway, lambda: self._once(method, path, sent))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, method: str, path: str, sent: dict[str, Any]) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._fail(type(error).__name__)
        if answer.status_code >= 500 or answer.status_code == 429:
            self._fail(f"status {answer.status_code}")
        return answer

    def json(self, answer: httpx.Response) -> dict[str, Any]:
        """The answer's JSON object. Raises GatewayUnavailable for anything else: such an answer tells nothing."""
        try:
            body = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            self._fail("no JSON")
        if not isinstance(body, dict):
            self._fail("no JSON object")
        return body

    def _fail(self, what: str) -> NoReturn:
        raise GatewayUnavailable(f"{self.gateway} did not answer as it should: {what}") from None


def _worth_repeating(error: Exception) -> bool:
    return isinstance(error, GatewayUnavailable) and not isinstance(error, CircuitOpen)
