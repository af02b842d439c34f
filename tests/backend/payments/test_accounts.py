"""Merchant accounts from the environment, and which one an order goes to; amounts as gateways write them."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.environment import Env
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import Account, account, read_accounts
from backend.payments.gateways.amounts import to_major, to_minor
from backend.payments.gateways.registry import GatewayNotOffered, choose
from backend.payments.gateways.sandbox import SandboxGateway
from backend.payments.gateways.variables import read_gateways
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.carts import make_cart
from tests.factories.catalog import make_variant

REQUIRED = ["ACME_SECRET_KEY", "ACME_WEBHOOK_SECRET"]
OPTIONAL = {"ACME_API_URL": "https://acme.example"}
BASE = {"ACME_SECRET_KEY": "sk_1", "ACME_WEBHOOK_SECRET": "whsec_1"}


def read(**variables: str) -> list[Account]:
    env = Env(Path("/nonexistent"))
    env.ENVIRON = variables
    return read_accounts(env, "ACME", required=REQUIRED, optional=OPTIONAL)


def test_a_gateway_without_variables_is_off() -> None:
    assert read() == []
    assert read(ACME_API_URL="https://x.example") == []


def test_an_account_has_its_settings_and_never_prints_them() -> None:
    [found] = read(**BASE)
    assert (found.gateway, found.name, found["secret_key"], found["api_url"]) == (
        "acme",
        "default",
        "sk_1",
        "https://acme.example",
    )
    assert "sk_1" not in repr(found) + str(found)


def test_more_accounts_have_their_own_variables() -> None:
    more = {
        "ACME_ACCOUNTS": "eu,books",
        "ACME_EU_SECRET_KEY": "sk_2",
        "ACME_EU_WEBHOOK_SECRET": "w2",
        "ACME_EU_CURRENCIES": "EUR",
        "ACME_BOOKS_SECRET_KEY": "sk_3",
        "ACME_BOOKS_WEBHOOK_SECRET": "w3",
        "ACME_BOOKS_VENDORS": "old-books,new-books",
        "ACME_BOOKS_CAPTURE": "manual",
    }
    first, eu, books = read(**BASE, **more)
    assert (first.currencies, eu.currencies, books.vendors) == (
        frozenset(),
        frozenset({"EUR"}),
        frozenset({"old-books", "new-books"}),
    )
    assert (eu["secret_key"], books.manual_capture, eu.manual_capture) == ("sk_2", True, False)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ACME_SECRET_KEY": "sk"}, "ACME_WEBHOOK_SECRET"),
        ({**BASE, "ACME_ACCOUNTS": "eu"}, "eu"),
        ({**BASE, "ACME_ACCOUNTS": "default"}, "default"),
        ({**BASE, "ACME_ACCOUNTS": "../x"}, "../x"),
        ({**BASE, "ACME_ACCOUNTS": "eu", "ACME_EU_SECRET_KEY": "sk"}, "ACME_EU_WEBHOOK_SECRET"),
        ({**BASE, "ACME_CAPTURE": "LATER"}, "ACME_CAPTURE"),
    ],
)
def test_what_cannot_work_is_refused_by_name_and_without_the_secret(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**variables)
    assert named in str(refusal.value)
    assert "sk_1" not in str(refusal.value)


# Which account ------------------------------------------------------------------------------------


def own(name: str, **fields: Any) -> Account:
    return Account("sandbox", name, **{key: frozenset(value) for key, value in fields.items()})


@pytest.fixture
def several(settings: Any) -> None:
    settings.GATEWAYS = {
        "sandbox": [
            own("default"),
            own("euro", currencies={"EUR"}),
            own("books", vendors={"old-books", "new-books"}),
            own("egypt", currencies={"EGP"}, countries={"EG"}),
        ]
    }


@pytest.mark.parametrize(
    ("asked", "account_name"),
    [
        ({"currency": "USD"}, "default"),
        ({"currency": "EUR"}, "euro"),
        ({"currency": "USD", "vendors": {"old-books"}}, "books"),
        ({"currency": "EUR", "vendors": {"old-books", "new-books"}}, "books"),
        ({"currency": "USD", "vendors": {"old-books", "toys"}}, "default"),
        ({"currency": "USD", "vendors": {"old-books", ""}}, "default"),
        ({"currency": "EGP", "country": "EG"}, "egypt"),
        ({"currency": "EGP", "country": "DE"}, "default"),
    ],
)
def test_an_order_goes_to_the_account_that_is_most_for_it(several: None, asked: Any, account_name: str) -> None:
    assert choose("sandbox", **asked).account.name == account_name


def test_what_no_account_takes_is_not_offered(settings: Any) -> None:
    settings.GATEWAYS = {"sandbox": [own("egypt", currencies={"EGP"}, countries={"EG"})]}
    for asked in ({"currency": "USD"}, {"currency": "EGP", "country": "DE"}):
        with pytest.raises(GatewayNotOffered):
            choose("sandbox", **asked)
    with pytest.raises(GatewayNotOffered):
        choose("acme", currency="EGP")


def test_an_adapter_is_made_once_for_each_account(several: None) -> None:
    assert registry.get("sandbox") is registry.get("sandbox")
    assert registry.get("sandbox", "euro") is not registry.get("sandbox")


@pytest.mark.django_db
def test_the_shop_offers_what_takes_the_currency_and_serves_the_country(gql: Gql, settings: Any) -> None:
    settings.GATEWAYS = {"sandbox": [own("egypt", currencies={"EUR"}, countries={"EG"})]}
    ask = """query ($currency: CurrencyCode, $country: CountryCode) {
      shop { paymentGateways(currency: $currency, country: $country) { id currencies flow } }
    }"""
    [found] = gql(ask)["shop"]["paymentGateways"]
    assert found == {"id": "sandbox", "currencies": ["EUR"], "flow": "REDIRECT"}
    assert len(gql(ask, currency="EUR", country="EG")["shop"]["paymentGateways"]) == 1
    assert gql(ask, currency="USD")["shop"]["paymentGateways"] == []
    assert gql(ask, country="DE")["shop"]["paymentGateways"] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("account", "offered"),
    [
        ({}, True),
        ({"currencies": {"USD"}, "countries": {"GB"}}, True),
        ({"currencies": {"EUR"}}, False),
        ({"countries": {"EG"}}, False),
    ],
)
def test_a_cart_tells_the_ways_to_pay_it(gql: Gql, settings: Any, account: dict[str, set[str]], offered: bool) -> None:
    settings.GATEWAYS = {"sandbox": [own("default", **account)]}
    cart = make_cart((make_variant(prices={"USD": 1000}), 1))
    ask = "query ($id: ID!) { cart(id: $id) { paymentGateways { id name currencies flow } } }"
    found = gql(ask, id=encode("Cart", cart.pk))["cart"]["paymentGateways"]
    assert [each["id"] for each in found] == (["sandbox"] if offered else [])


@pytest.mark.django_db
@pytest.mark.parametrize(("price", "offered"), [(999, False), (1000, True), (5000, True), (5001, False)])
def test_a_cart_that_costs_too_little_or_too_much_is_not_sent_to_a_gateway(
    gql: Gql, monkeypatch: pytest.MonkeyPatch, settings: Any, price: int, offered: bool
) -> None:
    can = replace(SandboxGateway.capabilities, minimum={"USD": 1000}, maximum={"USD": 5000})
    monkeypatch.setattr(SandboxGateway, "capabilities", can)
    settings.GATEWAYS = {"sandbox": [own("default")]}
    cart = make_cart((make_variant(prices={"USD": price}), 1), shipping=None)
    ask = "query ($id: ID!) { cart(id: $id) { paymentGateways { id } } }"
    assert bool(gql(ask, id=encode("Cart", cart.pk))["cart"]["paymentGateways"]) is offered


# Amounts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "digits", "text"),
    [
        (1050, "USD", None, "10.50"),
        (5, "USD", None, "0.05"),
        (1050, "JPY", None, "1050"),
        (5124, "KWD", None, "5.124"),
        (1000, "HUF", 0, "10"),
        (1250, "BDT", 2, "12.50"),
    ],
)
def test_amounts_are_written_exactly_and_read_back(minor: int, currency: str, digits: int | None, text: str) -> None:
    assert to_major(minor, currency, digits=digits) == text
    assert to_minor(text, currency) == minor


def test_an_amount_that_does_not_fit_is_no_amount() -> None:
    with pytest.raises(ValueError, match="digits"):
        to_major(1050, "HUF", digits=0)
    for wrong in ("10.505", "-1", "NaN", "Infinity", "1e999999999", "", "ten", None, True, 1.5, []):
        with pytest.raises(ValueError, match="amount"):
            to_minor(wrong, "USD")


def test_accounts_for_doubles_are_like_those_of_the_environment() -> None:
    assert account("acme", secret_key="x")["secret_key"] == "x"


def test_a_value_of_another_shape_stops_the_start_and_is_not_shown() -> None:
    env = Env(Path("/nonexistent"))
    env.ENVIRON = {**BASE, "ACME_ACCOUNTS": "eu", "ACME_EU_SECRET_KEY": "pk_oops", "ACME_EU_WEBHOOK_SECRET": "w"}
    with pytest.raises(ImproperlyConfigured, match="ACME_EU_SECRET_KEY is not") as refusal:
        read_accounts(env, "ACME", required=REQUIRED, optional=OPTIONAL, shapes={"ACME_SECRET_KEY": "sk_.+"})
    assert "pk_oops" not in str(refusal.value)


def gateways(**variables: str) -> dict[str, list[Account]]:
    env = Env(Path("/nonexistent"))
    env.ENVIRON = variables
    return read_gateways(env)


@pytest.mark.parametrize(
    ("gateway", "given"),
    [
        (
            "paymob",
            {"SECRET_KEY": "egy_pk_test_1", "PUBLIC_KEY": "egy_sk_test_1", "HMAC_SECRET": "h", "INTEGRATIONS": "1"},
        ),
        (
            "paymob",
            {"SECRET_KEY": "egy_sk_test_1", "PUBLIC_KEY": "egy_pk_test_1", "HMAC_SECRET": "h", "INTEGRATIONS": ","},
        ),
        ("sslcommerz", {"STORE_ID": "s", "STORE_PASSWD": "p", "UNSIGNED": "believe"}),
        ("sslcommerz", {"STORE_ID": "s", "STORE_PASSWD": "p", "TIMEOUT_S": "long"}),
        ("zarinpal", {"MERCHANT_ID": "no-uuid"}),
        ("zarinpal", {"MERCHANT_ID": "3f1b6c52-9d0e-4a77-8c11-5e2f7a90b001", "UNIT": "TOMAN"}),
    ],
    ids=str,
)
def test_odd_values_of_gateways_stop_the_shop(gateway: str, given: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured):
        gateways(**{f"{gateway.upper()}_{name}": value for name, value in given.items()})


def test_every_gateway_is_off_without_its_variables_and_made_with_them() -> None:
    assert not any(gateways().values())
    given = {
        "PAYMOB_SECRET_KEY": "egy_sk_live_1",
        "PAYMOB_PUBLIC_KEY": "egy_pk_live_1",
        "PAYMOB_HMAC_SECRET": "h",
        "PAYMOB_INTEGRATIONS": "12,wallet",
        "SSLCOMMERZ_STORE_ID": "s",
        "SSLCOMMERZ_STORE_PASSWD": "p",
        "ZARINPAL_MERCHANT_ID": "3f1b6c52-9d0e-4a77-8c11-5e2f7a90b001",
    }
    made = {name: accounts for name, accounts in gateways(**given).items() if accounts}
    assert set(made) == {"paymob", "sslcommerz", "zarinpal"}
    for name, [each] in made.items():
        assert import_module(f"backend.payments.gateways.{name}").GATEWAY(each).id == name
