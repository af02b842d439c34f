"""The SDK as we use it: one pool for each account, time-outs, the shop's own retries and breaker, nothing in logs."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx
import stamina
import stripe

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.errors import ErrorCode, GatewayRefused, GatewayUnavailable
from backend.payments.gateways.http import ATTEMPTS, CONNECT_S, CircuitOpen, guarded
from backend.payments.gateways.stripe.codes import refusal

PAGE = 100
MOST = 20 * PAGE
"""So many rows of a list are read where one thing is looked for."""

# At DEBUG the SDK writes whole bodies, with client secrets and addresses in them; STRIPE_LOG prints them besides.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe._util.STRIPE_LOG = None
stripe.enable_telemetry = False


if TYPE_CHECKING:
    Pages = stripe.ListObject[Any] | stripe.SearchResultObject[Any]


class Final(GatewayUnavailable):
    """Asking again now would bring the same."""


class Client:
    """Stripe for one account. Threads share it."""

    def __init__(self, account: Account) -> None:
        # No retries of the SDK's own: ours are counted by the breaker and know our keys.
        self._v1 = stripe.StripeClient(
            account["secret_key"],
            base_addresses={"api": account["api_url"]},
            max_network_retries=0,
            http_client=_Http(float(account["timeout_s"])),
        ).v1

    def one(self, call: "Callable[[stripe.V1Services], stripe.StripeObject]") -> dict[str, Any]:
        """The object that a call gives. Every call may be repeated: it reads, or has a key.

        Raises GatewayUnavailable, GatewayRefused.
        """
        found: dict[str, Any] = self._ask(lambda: call(self._v1).to_dict())
        return found

    def all(self, call: "Callable[[stripe.V1Services], Pages]", *, most: int | None = None) -> list[dict[str, Any]]:
        """Every row of a list, or the first `most`, over all pages. Raises as `one` does."""

        def rows() -> Iterable[Any]:
            return islice(call(self._v1).auto_paging_iter(), most)

        found: list[dict[str, Any]] = self._ask(lambda: [row.to_dict() for row in rows()])
        return found

    def _ask(self, question: Callable[[], Any]) -> Any:
        def asked() -> Any:
            with _understood():
                return question()

        for attempt in stamina.retry_context(on=_worth_repeating, attempts=ATTEMPTS, wait_initial=0.1, wait_max=1.0):
            with attempt:
                return guarded("stripe", asked)
        raise AssertionError("unreachable: the last attempt returns or raises")


def keyed(key: str) -> "stripe.RequestOptions":
    """Our own key: the SDK's do not outlive a process."""
    return {"idempotency_key": key}


@contextmanager
def understood() -> Iterator[None]:
    """Read an answer: one that is not as it should be tells nothing."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise GatewayUnavailable(f"stripe did not answer as it should: {type(error).__name__}") from None


@contextmanager
def unless_refused() -> Iterator[None]:
    """For questions: one that Stripe refuses tells nothing about what was asked."""
    try:
        yield
    except GatewayRefused as error:
        raise GatewayUnavailable(f"stripe refused a question: {error.gateway_code or error.code.value}") from None


@contextmanager
def unless_misconfigured() -> Iterator[None]:
    """For calls that move money: when the keys are wrong nobody decided anything, and it is tried again."""
    try:
        yield
    except GatewayRefused as error:
        if error.code is ErrorCode.MISCONFIGURED:
            raise GatewayUnavailable("stripe does not accept the account's key") from None
        raise


class _Http(stripe.HTTPClient):
    """The SDK's door to the network: one pool for all threads, no redirects."""

    name = "httpx"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_S, seconds))
        limits = httpx.Limits(max_connections=20, keepalive_expiry=30)
        self._client = httpx.Client(timeout=timeout, limits=limits, follow_redirects=False)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[Any, int, Mapping[str, str]]:
        try:
            answer = self._client.request(method, url, headers=dict(headers or {}), content=post_data)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from None  # type: ignore[no-untyped-call]
        return answer.content, answer.status_code, answer.headers

    def close(self) -> None:
        self._client.close()


@contextmanager
def _understood() -> Iterator[None]:
    """The SDK's errors in our words, without their texts: those may hold keys, addresses and bodies."""
    try:
        with understood():
            yield
    except (stripe.AuthenticationError, stripe.PermissionError):
        message = "Stripe does not accept the account's key."
        raise GatewayRefused(message, code=ErrorCode.MISCONFIGURED) from None
    except stripe.IdempotencyError:
        # The first request of this key may have acted.
        raise Final("stripe knows another request of this key") from None
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        raise refusal(error) from None
    except stripe.StripeError as error:
        headers = {str(name).lower(): value for name, value in dict(error.headers or {}).items()}
        kind = Final if headers.get("stripe-should-retry") == "false" else GatewayUnavailable
        told = f"status {error.http_status}" if error.http_status else type(error).__name__
        raise kind(f"stripe did not answer as it should: {told}") from None


def _worth_repeating(error: Exception) -> bool:
    return isinstance(error, GatewayUnavailable) and not isinstance(error, CircuitOpen | Final)
