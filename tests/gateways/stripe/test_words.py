"""Amounts, codes and settings, without a network."""

import logging
import runpy
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.core.exceptions import ImproperlyConfigured

from backend.payments.gateways.accounts import account
from backend.payments.gateways.base import ErrorCode, Method
from backend.payments.gateways.stripe import GATEWAY
from backend.payments.gateways.stripe.amounts import CURRENCIES, UNCONFIRMED, from_stripe, to_stripe
from backend.payments.gateways.stripe.client import Client
from backend.payments.gateways.stripe.codes import failure
from backend.payments.gateways.stripe.reports import method_of

SETTINGS = Path(__file__).parents[3] / "backend" / "settings.py"
VALUES = {
    "secret_key": "sk_test_x",
    "publishable_key": "pk_test_x",
    "webhook_secret": "whsec_x",
    "flow": "CLIENT_SECRET",
    "extra_currencies": "",
    "timeout_s": "1",
    "api_url": "http://127.0.0.1:1",
}


@pytest.mark.parametrize(
    ("ours", "currency", "theirs"),
    [
        (1999, "USD", 1999),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (5120, "KWD", 5120),
        (175_00, "HUF", 175_00),
        (1000, "VND", 1000),
        (7, "MGA", 7),
    ],
)
def test_amounts_are_written_as_stripe_has_them(ours: int, currency: str, theirs: int) -> None:
    assert to_stripe(ours, currency) == theirs
    assert from_stripe(theirs, currency) == ours


def test_amounts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="larger steps"):
        to_stripe(5124, "KWD")
    for wrong in (150, None, "500", 5.0, True):
        with pytest.raises(ValueError, match="amount"):
            from_stripe(wrong, "ISK")


@pytest.mark.parametrize("currency", sorted(CURRENCIES | UNCONFIRMED))
def test_every_currency_goes_there_and_back(currency: str) -> None:
    assert from_stripe(to_stripe(10_000, currency), currency) == 10_000


def test_what_documents_leave_open_is_taken_only_where_a_setting_says_so() -> None:
    plain = GATEWAY(account("stripe", **VALUES)).capabilities.currencies or frozenset()
    more = GATEWAY(account("stripe", **(VALUES | {"extra_currencies": "UGX,JOD"}))).capabilities.currencies
    assert not plain & UNCONFIRMED
    assert more == plain | {"UGX", "JOD"}
    with pytest.raises(ImproperlyConfigured):
        GATEWAY(account("stripe", **(VALUES | {"extra_currencies": "XYZ"})))


@pytest.mark.parametrize(
    ("told", "code", "own"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "INSUFFICIENT_FUNDS", "insufficient_funds"),
        ({"code": "card_declined", "decline_code": "generic_decline"}, "CARD_DECLINED", "generic_decline"),
        ({"code": "card_declined", "decline_code": "never_heard"}, "CARD_DECLINED", "never_heard"),
        ({"code": "expired_card"}, "CARD_EXPIRED", "expired_card"),
        ({"code": "authentication_required"}, "AUTHENTICATION_REQUIRED", "authentication_required"),
        ({"code": "payment_intent_authentication_failure"}, "AUTHENTICATION_FAILED", None),
        ({"code": "card_declined", "decline_code": "stolen_card"}, "FRAUD_SUSPECTED", "stolen_card"),
        ({}, "DECLINED", ""),
    ],
)
def test_refusals_have_our_code_and_stripes(told: dict[str, Any], code: str, own: str | None) -> None:
    found = failure(told)
    assert found[0] is ErrorCode(code)
    assert found[1] == (told["code"] if own is None else own)
    assert found[2]


def test_ways_to_pay_have_buyers_names() -> None:
    assert method_of({"type": "card", "card": {"wallet": None}}) is Method.CARD
    assert method_of({"type": "card", "card": {"wallet": {"type": "apple_pay"}}}) is Method.WALLET
    assert [method_of({"type": each}) for each in ("sepa_debit", "twint", "klarna", "oxxo", "new_thing")] == [
        Method.BANK,
        Method.MOBILE,
        Method.INSTALLMENTS,
        Method.CASH,
        Method.OTHER,
    ]


def test_the_sdk_writes_nothing_down() -> None:
    Client(account("stripe", **VALUES))
    assert not logging.getLogger("stripe").isEnabledFor(logging.INFO)
    assert stripe._util._console_log_level() is None
    assert stripe.enable_telemetry is False


GOOD = {
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_12345678",
}


@pytest.mark.parametrize(
    "odd",
    [
        {"STRIPE_PUBLISHABLE_KEY": "sk_live_shown_to_everybody"},
        {"STRIPE_SECRET_KEY": "pk_test_1"},
        {"STRIPE_WEBHOOK_SECRET": "whsec_"},
        {"STRIPE_WEBHOOK_SECRET": " "},
        {"STRIPE_FLOW": "redirect"},
        {"STRIPE_EXTRA_CURRENCIES": "USD"},
        {"STRIPE_EXTRA_CURRENCIES": "UGX,"},
        {"STRIPE_TIMEOUT_S": "soon"},
        {"STRIPE_API_URL": "api.stripe.com"},
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(odd: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (GOOD | {"STRIPE_EXTRA_CURRENCIES": "UGX,BHD", "STRIPE_SECRET_KEY": "rk_live_1"}).items():
        monkeypatch.setenv(name, value)
    [found] = runpy.run_path(str(SETTINGS))["GATEWAYS"]["stripe"]
    assert (found["secret_key"], found["flow"]) == ("rk_live_1", "CLIENT_SECRET")
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=next(iter(odd))) as refusal:
        runpy.run_path(str(SETTINGS))
    assert "shown_to_everybody" not in str(refusal.value)
