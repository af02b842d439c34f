"""PayPal's SDK as we mend it: each of its faults has a test that fails without the mending."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import paypalrestsdk
import pytest

from backend.core import clock
from backend.payments.gateways.accounts import Account, account
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.paypal.api import REQUEST_ID, Api, CredentialsRefused, Refusal
from tests.gateways.harnesses.paypal import PayPalHarness

SECRET = "secret-that-nobody-may-see"
TOKEN = "A21AA-token-that-nobody-may-see"
BUYER = "buyer-that-nobody-may-see@example.com"
Answer = Callable[[httpx.Request], httpx.Response]
pytestmark = pytest.mark.django_db


def merchant() -> Account:
    return account(
        "paypal", client_id="client", client_secret=SECRET, api_url="https://api.paypal.example/", timeout_s="7"
    )


def given(status: int, told: Any = None, text: str | None = None) -> Answer:
    content = text.encode() if text is not None else orjson.dumps({} if told is None else told)
    return lambda request: httpx.Response(status, content=content)


class PayPal:
    """Gives tokens, and answers every other call as told."""

    def __init__(self, *answers: Answer, token: Answer | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers) or [given(200)]
        self._token = token or given(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path == "/v1/oauth2/token":
            return self._token(request)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        return answer(request)

    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]


def client(paypal: PayPal) -> Api:
    return Api(merchant(), transport=httpx.MockTransport(paypal))


def error(issue: str) -> dict[str, Any]:
    details = [{"issue": issue, "field": "/payer/email_address", "value": BUYER, "description": f"{BUYER} is odd."}]
    return {"name": "INVALID_REQUEST", "message": f"{BUYER}?", "debug_id": "abc123", "details": details}


def test_it_is_the_sdks_client() -> None:
    assert issubclass(Api, paypalrestsdk.Api)


def test_every_call_has_a_time_out_the_tokens_too() -> None:
    paypal = PayPal()
    client(paypal).post("/v2/checkout/orders", {})
    assert paypal.paths() == ["/v1/oauth2/token", "/v2/checkout/orders"]
    for request in paypal.asked:
        assert request.extensions["timeout"] == {"connect": 3.0, "read": 7.0, "write": 7.0, "pool": 7.0}


def test_a_lasting_401_ends() -> None:
    paypal = PayPal(given(401, {"name": "AUTHENTICATION_FAILURE"}))
    with pytest.raises(CredentialsRefused):
        client(paypal).get("/v2/checkout/orders/1")
    assert paypal.paths() == ["/v1/oauth2/token", "/v2/checkout/orders/1"] * 2


def test_a_token_that_is_taken_no_more_is_renewed_once() -> None:
    paypal = PayPal(given(401, {}), given(200, {"id": "1"}))
    api = client(paypal)
    assert api.get("/v2/checkout/orders/1") == {"id": "1"}
    assert api.get("/v2/checkout/orders/1") == {"id": "1"}
    assert paypal.paths().count("/v1/oauth2/token") == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_credentials_are_told_at_once(status: int) -> None:
    paypal = PayPal(token=given(status, {"error": "invalid_client", "error_description": "Client failed"}))
    with pytest.raises(CredentialsRefused) as failure:
        client(paypal).get("/v2/checkout/orders/1")
    assert paypal.paths() == ["/v1/oauth2/token"]
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize("told", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\r\nB: c"}])
def test_a_token_that_is_none_is_not_used(told: dict[str, Any]) -> None:
    with pytest.raises(GatewayUnavailable):
        client(PayPal(token=given(200, told))).get("/v2/checkout/orders/1")


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    paypal = PayPal()
    api = client(paypal)
    for seconds in (0, 3500, 50, 10):
        clock.move_offset(seconds)
        api.get("/v2/checkout/orders/1")
    assert paypal.paths().count("/v1/oauth2/token") == 2


@pytest.mark.parametrize("life", [None, "3600", -1, 10**9, 1.5])
def test_a_token_without_a_sensible_life_is_renewed_soon(life: Any) -> None:
    paypal = PayPal(token=given(200, {"access_token": TOKEN, "expires_in": life}))
    api = client(paypal)
    api.get("/v2/checkout/orders/1")
    clock.move_offset(301)
    api.get("/v2/checkout/orders/1")
    assert paypal.paths().count("/v1/oauth2/token") == 2


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_every_refusal_is_an_exception_that_holds_nothing_of_the_buyer(status: int) -> None:
    paypal = PayPal(given(status, error("INVALID_PARAMETER_VALUE")))
    with pytest.raises(Refusal) as refusal:
        client(paypal).post("/v2/checkout/orders", {"payer": BUYER})
    assert (refusal.value.status, refusal.value.issue) == (status, "INVALID_PARAMETER_VALUE")
    assert str(refusal.value) == "PayPal: INVALID_PARAMETER_VALUE (debug id abc123)"
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    ("told", "issue"),
    [
        ({"name": "RESOURCE_NOT_FOUND", "details": []}, "RESOURCE_NOT_FOUND"),
        ({"name": "RESOURCE_NOT_FOUND", "details": "?"}, "RESOURCE_NOT_FOUND"),
        ({"details": [{"issue": f"{BUYER} is odd"}]}, "HTTP_422"),
        ({"name": 7}, "HTTP_422"),
        ({"error": "invalid"}, "HTTP_422"),
    ],
)
def test_a_refusal_of_another_form_is_one_too(told: dict[str, Any], issue: str) -> None:
    with pytest.raises(Refusal) as refusal:
        client(PayPal(given(422, told))).get("/v2/checkout/orders/1")
    assert refusal.value.issue == issue


@pytest.mark.parametrize(
    "answer",
    [
        given(409, error("DUPLICATE_REQUEST_ID")),
        given(422, error("ORDER_COMPLETION_IN_PROGRESS")),
        given(422, text="<html>"),
        given(404, text=""),
        given(200, text="<html>"),
        given(200, text="[]"),
        given(302, text=""),
        given(307, text=""),
        given(500, text=""),
        given(429, error("RATE_LIMIT_REACHED")),
    ],
)
def test_what_tells_nothing_is_unavailable(answer: Answer) -> None:
    with pytest.raises(GatewayUnavailable) as failure:
        client(PayPal(answer)).get("/v2/checkout/orders/1")
    assert BUYER not in str(failure.value)


def test_only_calls_with_a_request_id_are_made_again() -> None:
    for headers, times in (({}, 1), ({REQUEST_ID: "pay:1:start"}, 3)):
        paypal = PayPal(given(500))
        with pytest.raises(GatewayUnavailable):
            client(paypal).post("/v2/checkout/orders", {}, headers=headers)
        assert paypal.paths().count("/v2/checkout/orders") == times


def test_a_calls_own_headers_go_to_that_call_alone() -> None:
    paypal = PayPal()
    client(paypal).post("/v2/checkout/orders", {}, headers={REQUEST_ID: "pay:1:start", "Prefer": "x"})
    token, call = paypal.asked
    assert (REQUEST_ID in token.headers, "prefer" in token.headers) == (False, False)
    assert (call.headers[REQUEST_ID], call.headers["authorization"]) == ("pay:1:start", f"Bearer {TOKEN}")
    assert token.headers["authorization"].startswith("Basic ")


def test_what_has_no_body_sends_none() -> None:
    paypal = PayPal()
    api = client(paypal)
    api.get("/v2/checkout/orders/1")
    api.post_raw("/v2/payments/authorizations/1/void", None)
    assert [request.content for request in paypal.asked[1:]] == [b"", b""]


def test_a_body_that_is_given_raw_is_sent_as_it_is() -> None:
    paypal = PayPal()
    body = b'{"a": 1.0,  "b": "\\u00e9\xc3\xa9"}'
    client(paypal).post_raw("/v1/notifications/verify-webhook-signature", body)
    assert paypal.asked[-1].content == body


def test_nothing_secret_is_logged_even_at_debug(process: PayPalHarness, caplog: pytest.LogCaptureFixture) -> None:
    """Over a real connection, with every logger as talkative as it can be; sandbox mode made the SDK tell all."""
    for name in (None, "paypalrestsdk", "paypalrestsdk.api", "httpx", "httpcore", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    process.reset()
    api = Api(process.account(client_secret=SECRET))
    with pytest.raises(CredentialsRefused):
        api.get("/v2/checkout/orders/1")
    api = Api(process.account())
    with pytest.raises(Refusal):
        api.post("/v2/checkout/orders", {"payer": BUYER}, headers={REQUEST_ID: "1"})
    assert api._token is not None
    secrets = [process.account()["client_secret"], SECRET, BUYER, api._token.header, api.basic_auth(), "Basic"]
    assert not [secret for secret in secrets if secret in caplog.text]
