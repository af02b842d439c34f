"""`GATEWAY_DOUBLES=1 make run`: whose accounts the shop gets, and where doubles have no place."""

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.environment import Env
from backend.local import doubles
from backend.local.doubles import DOUBLES, Doubles
from backend.local.errors import LocalError
from backend.payments.gateways.accounts import Account
from backend.payments.gateways.variables import VARIABLES, read_gateways
from tests.gateways.fakes import zarinpal

ROOT = Path(__file__).parent.parent.parent
# Tests have Zarinpal without its panel, unless they ask for it.
PANEL = {"zarinpal": {"access_token": zarinpal.ACCESS_TOKEN, "terminal_id": zarinpal.TERMINAL_ID}}
SHOP = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DOUBLES", "1")
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.delenv("DEBUG", raising=False)
    monkeypatch.setattr(doubles, "_has_ipv6", lambda: True)


def accounts(given: Mapping[str, str]) -> dict[str, list[Account]]:
    """The gateways of a shop with these variables, beside which doubles run."""
    env = Env(Path("/nonexistent"))
    given = {**given, **Doubles().variables(given, shop=SHOP)}
    env.ENVIRON = {name: value for name, value in given.items() if value}
    return read_gateways(env)


@pytest.mark.parametrize("value", ["", "0", "off"])
def test_without_the_switch_nothing_changes(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GATEWAY_DOUBLES", value)
    monkeypatch.setenv("ENVIRONMENT", "production")
    found = Doubles()
    assert (found.commands(), found.variables({}, shop=SHOP), found.lines(), found.answer()) == ({}, {}, [], True)


def test_every_gateway_has_a_double_whose_account_the_shop_gets() -> None:
    assert set(DOUBLES) == set(VARIABLES)
    for gateway, [found] in accounts({}).items():
        harness: Any = type(import_module(f"tests.gateways.harnesses.{gateway}").HARNESS)()
        harness.control = SimpleNamespace(base_url="")  # it is not started
        known = {**dict(harness.account().values), **PANEL.get(gateway, {})}
        ours = {name.removeprefix(f"{gateway}_".upper()).lower() for name in DOUBLES[gateway].account}
        assert {name: found[name] for name in ours} == {name: known[name] for name in ours}
        assert found["api_url"].startswith("http://127.0.0.1:")


def test_no_real_account_is_asked_and_what_is_no_secret_holds() -> None:
    real = {
        "STRIPE_SECRET_KEY": "sk_live_1",
        "STRIPE_PUBLISHABLE_KEY": "pk_live_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_real_one",
        "STRIPE_FLOW": "CLIENT_SECRET",
        "STRIPE_ACCOUNTS": "eu",
        "STRIPE_EU_SECRET_KEY": "sk_live_2",
        "STRIPE_EU_CURRENCIES": "EUR",
        "SSLCOMMERZ_ACCOUNTS": "real",
        "SSLCOMMERZ_REAL_STORE_ID": "store",
        "SSLCOMMERZ_REAL_STORE_PASSWD": "password",
        "ZARINPAL_UNIT": "IRT",
        "CURRENCIES_OFFERED": "IRR",
    }
    found = accounts(real)
    default, eu = found["stripe"]
    assert (default["secret_key"], eu["secret_key"]) == ("sk_test_double", "sk_test_double_eu")
    assert default["api_url"] == eu["api_url"]
    assert (default["flow"], eu.currencies) == ("CLIENT_SECRET", frozenset({"EUR"}))
    assert [each.name for each in found["sslcommerz"]] == ["default"]
    assert found["zarinpal"][0]["unit"] == "IRT"
    for each in (account for several in found.values() for account in several):
        assert all(url.startswith("http://127.0.0.1:") for name, url in each.values if name.endswith("_url"))
    assert Doubles().variables(real, shop=SHOP)["CURRENCIES_OFFERED"] == "IRR"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"ENVIRONMENT": "production"}, "ENVIRONMENT=production"),
        ({"DEBUG": "0"}, "DEBUG off"),
        ({"ENVIRONMENT": "test"}, "DEBUG off"),
    ],
)
def test_doubles_are_for_development(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reason: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LocalError, match=reason):
        Doubles()


@pytest.mark.parametrize(("value", "installed"), [("1", "dev"), ("true", "dev"), ("0", "runtime"), ("", "runtime")])
def test_make_run_installs_what_doubles_need_only_where_there_are_some(value: str, installed: str) -> None:
    command = ["make", "--dry-run", "run", f"PYTHON={sys.executable}", f"GATEWAY_DOUBLES={value}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"bootstrap.py {installed}\n" in said


def test_a_double_refuses_production_itself() -> None:
    command = [sys.executable, "-m", "tests.gateways.fakes.tiny", "--deliver"]
    environment = {**os.environ, "ENVIRONMENT": "production"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no place in production" in done.stderr


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubles, "find_spec", lambda name: None if name == "localstripe" else object())
    with pytest.raises(LocalError, match=r"localstripe.*make dev"):
        Doubles()


def test_a_machine_without_ipv6_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubles, "_has_ipv6", lambda: False)
    assert set(Doubles().commands()) == {"paypal", "paymob", "sslcommerz", "zarinpal"}
    assert accounts({"STRIPE_SECRET_KEY": "sk_live_1"})["stripe"] == []
    assert any("Stripe" in line and "IPv6" in line for line in Doubles().lines())


@pytest.mark.parametrize("gateway", ["paypal", "paymob", "sslcommerz", "zarinpal"])
def test_no_number_of_an_earlier_run_comes_again(monkeypatch: pytest.MonkeyPatch, gateway: str) -> None:
    """The shop keeps its payments; Stripe's double draws its numbers."""
    firsts = []
    for moment in (1_800_000_000, 1_800_000_001):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        firsts.append(int(Doubles().commands()[gateway].rpartition("--first ")[2]))
    assert firsts[1] - firsts[0] >= 1000
    found = vars(import_module(f"tests.gateways.fakes.{gateway}")).values()
    [fake_class] = [each for each in found if isinstance(each, type) and each.__name__.lower() == f"{gateway}fake"]
    numbers = []
    for first in firsts:
        monkeypatch.setattr(fake_class, "first", first)
        fake = fake_class()
        numbers.append(next(fake.numbers) if gateway == "paypal" else getattr(fake, "counter", fake.first))
    assert numbers[0] != numbers[1]
