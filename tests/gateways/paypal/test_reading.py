"""PayPal's money, states and settings, and what of them is kept."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backend.payments.gateways.base import (
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    Method,
    RefundRefused,
    RefundRequest,
)
from backend.payments.gateways.paypal import reading
from backend.payments.models import GatewayCall
from tests.gateways.harness import ROOT
from tests.gateways.harnesses.paypal import PayPalHarness
from tests.gateways.paypal.kit import approve, asked, begun, gateway, ref
from tests.gateways.test_stories import paid

pytestmark = pytest.mark.django_db


# Money --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [(1050, "USD", "10.50"), (5, "EUR", "0.05"), (1050, "JPY", "1050"), (105000, "HUF", "1050"), (300, "TWD", "3")],
)
def test_money_is_text_with_the_digits_that_paypal_takes(amount: int, currency: str, value: str) -> None:
    assert reading.money(amount, currency) == {"currency_code": currency, "value": value}
    assert reading._minor({"currency_code": currency, "value": value}) == amount


def test_half_a_forint_is_refused_before_paypal_hears_of_it(paypal: PayPalHarness) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway(paypal).start(asked(amount=105050, currency="HUF"))
    assert refusal.value.code is ErrorCode.INVALID_AMOUNT
    assert paypal.command("calls") == []


@pytest.mark.parametrize("currency", ["JPY", "HUF", "TWD", "EUR"])
def test_whole_units_are_paid_and_given_back(paypal: PayPalHarness, currency: str) -> None:
    at = gateway(paypal)
    payment = begun(paypal, at, amount=3000, currency=currency)
    approve(paypal, payment)
    report = at.capture(payment, amount=3000)
    assert (report.state, report.amount, report.amount_captured) == (ChargeState.SUCCEEDED, 3000, 3000)
    refund = RefundRequest(refund_id=uuid4(), amount=3000, currency=currency)
    assert at.refund(replace(payment, capture_id=report.capture_id), refund).amount == 3000


def test_a_part_of_a_forint_is_not_given_back(paypal: PayPalHarness) -> None:
    refund = RefundRequest(refund_id=uuid4(), amount=50, currency="HUF")
    with pytest.raises(RefundRefused):
        gateway(paypal).refund(ref(asked(currency="HUF"), "ORDER", capture_id="CAPTURE"), refund)


@pytest.mark.parametrize("value", [10.5, 10, None, True])
def test_an_amount_that_came_as_a_number_is_not_believed(value: Any) -> None:
    with pytest.raises(GatewayUnavailable):
        reading.sensible(lambda: reading._minor({"currency_code": "USD", "value": value}))


def test_more_currencies_are_a_setting(paypal: PayPalHarness) -> None:
    assert "BRL" not in (gateway(paypal).capabilities.currencies or ())
    assert {"BRL", "MYR", "USD"} <= (gateway(paypal, more_currencies="BRL,MYR").capabilities.currencies or set())


# Reading ------------------------------------------------------------------------------------------


def order_told(**changed: Any) -> dict[str, Any]:
    unit = {"custom_id": str(uuid4()), "amount": {"currency_code": "USD", "value": "10.50"}}
    return {"id": "ORDER1", "intent": "CAPTURE", "status": "CREATED", "purchase_units": [unit], "links": [], **changed}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATED", ChargeState.OPEN),
        ("SAVED", ChargeState.OPEN),
        ("PAYER_ACTION_REQUIRED", ChargeState.OPEN),
        ("APPROVED", ChargeState.APPROVED),
        ("VOIDED", ChargeState.CANCELLED),
        ("COMPLETED", ChargeState.PROCESSING),
    ],
)
def test_states_of_an_order(status: str, state: ChargeState) -> None:
    assert reading.charge_report(order_told(status=status)).state is state


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../secret"},
        {"id": None},
        {"status": "NEW_STATE"},
        {"purchase_units": []},
        {"purchase_units": [{}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "NaN"}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "-1.00"}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "10.505"}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "1"}, "payments": {"captures": [{}]}}]},
        {"purchase_units": [{"amount": {"currency_code": "USD", "value": "1"}, "payments": {"captures": ["x"]}}]},
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_tells_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(GatewayUnavailable):
        reading.sensible(lambda: reading.charge_report(order_told(**wrong)))


@pytest.mark.parametrize(
    ("part", "status", "state"),
    [
        ("captures", "COMPLETED", ChargeState.SUCCEEDED),
        ("captures", "PARTIALLY_REFUNDED", ChargeState.SUCCEEDED),
        ("captures", "REFUNDED", ChargeState.SUCCEEDED),
        ("captures", "PENDING", ChargeState.PROCESSING),
        ("captures", "DECLINED", ChargeState.FAILED),
        ("captures", "FAILED", ChargeState.FAILED),
        ("authorizations", "CREATED", ChargeState.AUTHORIZED),
        ("authorizations", "PARTIALLY_CAPTURED", ChargeState.AUTHORIZED),
        ("authorizations", "PENDING", ChargeState.PROCESSING),
        ("authorizations", "DENIED", ChargeState.FAILED),
        ("authorizations", "VOIDED", ChargeState.CANCELLED),
        ("authorizations", "EXPIRED", ChargeState.CANCELLED),
    ],
)
def test_states_of_the_money_decide_not_the_orders(part: str, status: str, state: ChargeState) -> None:
    told = order_told(status="COMPLETED")
    money = {"id": "C1", "status": status, "amount": {"currency_code": "USD", "value": "10.50"}}
    told["purchase_units"][0]["payments"] = {part: [money]}
    report = reading.charge_report(told)
    assert report.state is state
    assert bool(report.error_code) == (state in (ChargeState.FAILED, ChargeState.CANCELLED))


def test_a_capture_that_succeeded_counts_before_those_that_failed() -> None:
    told = order_told(status="COMPLETED")
    amount = {"currency_code": "USD", "value": "10.50"}
    captures = [
        {"id": "C1", "status": "DECLINED", "amount": amount},
        {"id": "C2", "status": "COMPLETED", "amount": amount},
    ]
    told["purchase_units"][0]["payments"] = {"captures": captures}
    report = reading.charge_report(told)
    assert (report.state, report.capture_id, report.amount_captured) == (ChargeState.SUCCEEDED, "C2", 1050)


def test_a_capture_in_another_currency_does_not_fit() -> None:
    told = order_told(status="COMPLETED")
    capture = {"id": "C1", "status": "COMPLETED", "amount": {"currency_code": "EUR", "value": "10.50"}}
    told["purchase_units"][0]["payments"] = {"captures": [capture]}
    assert reading.charge_report(told).currency == "EUR"


@pytest.mark.parametrize(
    ("source", "method"),
    [
        ({}, Method.WALLET),
        ({"paypal": {}}, Method.WALLET),
        ({"card": {}}, Method.CARD),
        ({"ideal": {}}, Method.BANK),
        ({"new": {}}, Method.OTHER),
    ],
)
def test_ways_to_pay(source: dict[str, Any], method: Method) -> None:
    assert reading.charge_report(order_told(payment_source=source)).method is method


# What is kept, and settings -----------------------------------------------------------------------


def test_nothing_of_the_buyer_or_the_token_is_kept(paypal: PayPalHarness) -> None:
    payment = paid(paypal)
    payment.refresh_from_db()
    assert set(payment.data) == {"intent"}
    kept = str(list(GatewayCall.objects.values_list("excerpt", "message")))
    assert "Bearer" not in kept
    assert "@" not in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYPAL_BRAND_NAME", "Fine"),
        ("PAYPAL_API_URL", "api-m.paypal.com"),
        ("PAYPAL_WEBHOOK_ID", "https://shop.example/webhooks/paypal/"),
        ("PAYPAL_CLIENT_SECRET", ""),
    ],
)
def test_odd_settings_stop_the_start_and_show_no_secret(name: str, value: str) -> None:
    given = {"PAYPAL_CLIENT_ID": "id", "PAYPAL_CLIENT_SECRET": "s3cret", "PAYPAL_WEBHOOK_ID": "1AB", name: value}
    command = [sys.executable, "-c", "from backend.settings import GATEWAYS; print(len(GATEWAYS['paypal']))"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | given, capture_output=True, text=True, timeout=60, check=False
    )
    if value == "Fine":
        assert done.stdout.strip() == "1"
        return
    assert f"ImproperlyConfigured: {name}" in done.stderr or f"it needs {name} too" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
