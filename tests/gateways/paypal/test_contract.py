"""What holds our requests against PayPal's documents does find what is wrong, and each part of them is in use."""

import json
from copy import deepcopy
from typing import Any

import pytest

from backend.payments.gateways.paypal import codes
from tests.gateways.fakes.paypal_messages import Mailroom
from tests.gateways.paypal_contract import ABSENT, DOCUMENTS, Contract

pytestmark = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=ABSENT)
OF_THE_FACT_SHEET = frozenset({"NOT_AUTHORIZED", "CARD_EXPIRED"})
"""Names of errors, which the documents have as names and not as issues."""
GOOD: dict[str, Any] = {
    "intent": "CAPTURE",
    "purchase_units": [
        {
            "custom_id": "x",
            "amount": {"currency_code": "USD", "value": "10.00"},
            "shipping": {"address": {"country_code": "DE"}},
        }
    ],
    "payment_source": {"paypal": {"experience_context": {"return_url": "https://shop.example/back"}}},
}


@pytest.fixture(scope="module")
def published() -> Contract:
    return Contract()


def changed(path: list[Any], value: Any) -> bytes:
    body = deepcopy(GOOD)
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(body).encode()


def order(published: Contract, body: bytes, **headers: str) -> list[str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return published.problems("POST", "/v2/checkout/orders", sent, body)


def test_a_good_order_has_no_problems(published: Contract) -> None:
    assert order(published, json.dumps(GOOD).encode(), paypal_request_id="1", prefer="return=representation") == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["intent"], "BUY"),
        (["purchase_units"], []),
        (["purchase_units", 0, "amount", "value"], 10.0),
        (["purchase_units", 0, "amount", "value"], "ten"),
        (["purchase_units", 0, "amount", "currency_code"], "USDX"),
        (["purchase_units", 0, "custom_id"], "x" * 128),
        (["purchase_units", 0, "custom_Id"], "a name that there is not"),
        (["purchase_units", 0, "shipping", "address", "country_code"], "Germany"),
        (["payment_source", "paypal", "experience_context", "return_url"], "no address"),
        (["payment_source", "paypal", "experience_context", "user_action"], "PAY"),
        (["payment_source", "paypal", "email_address"], "whose pattern switches validation off elsewhere"),
    ],
    ids=str,
)
def test_a_bad_order_has_problems(published: Contract, path: list[Any], value: Any) -> None:
    assert order(published, changed(path, value))


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("checkout_orders_v2", ["email"]),
        ("checkout_orders_v2", ["level_2_card_processing_data", "properties", "invoice_id"]),
        ("checkout_orders_v2", ["vault_venmo_wallet_base", "allOf", 1, "properties", "description"]),
        ("payments_payment_v2", ["email"]),
    ],
)
def test_patterns_that_switch_validation_off_elsewhere_are_in_use_here(
    published: Contract, name: str, steps: list[Any]
) -> None:
    schema: Any = published.documents[name]["components"]["schemas"]
    for step in steps:
        schema = schema[step]
    assert any("does not match" in problem for problem in published._violations(name, schema, "{}", "here"))


def test_headers_and_paths_are_held_against_the_documents(published: Contract) -> None:
    good = json.dumps(GOOD).encode()
    assert order(published, good, paypal_request_id="x" * 109)
    assert order(published, good, prefer="code=201")
    assert published.problems("POST", "/v2/checkout/orders/abc/capture", {}, b"{}")
    assert published.problems("POST", "/v2/checkout/orders/ABC/capture", {}, b"{}") == []
    assert published.problems("POST", "/v2/payments/authorizations/ABC/void", {"PayPal-Request-Id": "1"}, b"")
    assert published.problems("POST", "/v2/payments/authorizations/ABC/void", {}, b"{}")
    assert published.problems("DELETE", "/v2/checkout/orders/ABC", {}, b"")


def test_a_check_of_a_message_needs_all_of_it(published: Contract) -> None:
    path = "/v1/notifications/verify-webhook-signature"
    body = b'{"id": "WH-1"}'
    sent = {
        key.lower().removeprefix("paypal-").replace("-", "_"): value for key, value in Mailroom().sign(body).items()
    }
    whole = {**sent, "webhook_id": "5FAKE", "webhook_event": {"id": "WH-1"}}
    assert published.problems("POST", path, {}, json.dumps(whole).encode()) == []
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        assert published.problems("POST", path, {}, json.dumps(lacking).encode()), name


def test_the_words_that_we_know_are_paypals(published: Contract) -> None:
    text = json.dumps(published.documents)
    for word in {*codes.CODES, *codes.REFUND_CODES, *codes.ALREADY, *codes.MAYBE_OURS, *codes.PROCESSOR_CODES}:
        assert f'"{word}"' in text or word in OF_THE_FACT_SHEET, word
