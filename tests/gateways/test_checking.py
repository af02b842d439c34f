"""`manage.py gateway_check` over every gateway's double: what works, and what each fault looks like."""

from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from backend.core import clock
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import Account, account
from backend.payments.gateways.hosts import is_of
from backend.payments.gateways.optional import Finding, Verdict
from backend.payments.gateways.paymob import checking as paymob
from backend.payments.gateways.paypal import checking as paypal
from backend.payments.gateways.paypal.api import Refusal
from backend.payments.gateways.stripe import checking as stripe
from backend.payments.models import Operation, Payment
from tests.gateways.harness import Break, Harness

pytestmark = pytest.mark.django_db
WRONG = {
    "stripe": ("secret_key", "sk_test_wrong_and_secret"),
    "paypal": ("client_secret", "wrong-and-secret"),
    "paymob": ("secret_key", "egy_sk_test_wrongandsecret"),
    "sslcommerz": ("store_passwd", "wrong-and-secret"),
    "zarinpal": ("merchant_id", "00000000-0000-4000-8000-000000000000"),
}
LIVE = {
    "stripe": ("secret_key", "sk_live_0123456789"),
    "paypal": ("api_url", "https://api-m.paypal.com"),
    "paymob": ("secret_key", "egy_sk_live_0123456789"),
    "sslcommerz": ("api_url", "https://securepay.sslcommerz.com"),
    "zarinpal": ("api_url", "https://payment.zarinpal.com"),
}

SECRET = ("secret", "passw", "token")


def changed(account: Account, **values: str) -> Account:
    return replace(account, values=tuple(sorted((dict(account.values) | values).items())))


def run(name: str, *options: str) -> tuple[int, str]:
    """The exit code and all that was printed."""
    out = StringIO()
    try:
        call_command("gateway_check", name, *options, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def use(settings: Any, harness: Harness, **values: str) -> None:
    settings.GATEWAYS = {harness.gateway: [changed(harness.account(), **values)]}


def secrets_of(account: Account) -> list[str]:
    return [
        value for name, value in account.values if value and any(part in name for part in ("secret", "passw", "token"))
    ]


def test_good_credentials_pass_line_by_line(harness: Harness, settings: Any) -> None:
    settings.CURRENCIES_OFFERED = [harness.currency]
    code, said = run(harness.gateway)
    assert code == 0, said
    for what in ("mode: test", f"takes {harness.currency}", "reachability", "credentials", "webhook secret", "start:"):
        if (harness.gateway, what) != ("paypal", "webhook secret"):  # PayPal tells of the webhook itself
            assert what in said
    assert "FAILED" not in said
    assert not [secret for secret in secrets_of(harness.account()) if secret in said]
    assert not Payment.objects.exists()


def test_wrong_credentials_fail_and_are_not_shown(harness: Harness, settings: Any) -> None:
    if harness.gateway not in WRONG:
        assert harness.gateway == "sandbox", "it needs no credentials"
        return
    name, value = WRONG[harness.gateway]
    use(settings, harness, **{name: value})
    code, said = run(harness.gateway)
    assert code == 1
    assert "FAILED credentials" in said
    assert value not in said


@pytest.mark.parametrize("how", [Break.LOST_BEFORE, Break.ERROR_500, Break.GARBAGE])
def test_a_gateway_that_does_not_answer_as_it_should_fails(harness: Harness, settings: Any, how: Break) -> None:
    if harness.gateway != "sandbox":
        use(settings, harness, timeout_s="0.2")
    for operation in (Operation.START, Operation.VERIFY):
        harness.break_(operation, how)
    code, said = run(harness.gateway)
    assert code == 1
    assert "FAILED answer" in said


def test_live_credentials_are_left_alone_unless_asked(harness: Harness, settings: Any, monkeypatch: Any) -> None:
    if harness.gateway not in LIVE:
        assert harness.gateway == "sandbox", "it is never live"
        return
    name, value = LIVE[harness.gateway]
    use(settings, harness, **{name: value})

    def nobody(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(httpx, "head", nobody)
    code, said = run(harness.gateway)
    assert (code, "real money" in said) == (2, True)


def test_live_credentials_begin_no_payment(harness: Harness, settings: Any, monkeypatch: Any) -> None:
    gateway = registry.get(harness.gateway)
    monkeypatch.setattr(type(gateway), "is_live", lambda self: True)
    code, said = run(harness.gateway, "--live")
    assert (code, "start:" in said, "mode: live" in said) == (0, False, True), said


# What is the same for all ---------------------------------------------------------------------------


@pytest.fixture
def there(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A sandbox that says it has an address, and what that answers."""
    settings.GATEWAYS = {
        "sandbox": [Account("sandbox", values=(("api_url", "http://127.0.0.1:1"), ("timeout_s", "1")))]
    }
    headers: dict[str, str] = {"Date": clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")}
    monkeypatch.setattr(httpx, "head", lambda *args, **kwargs: httpx.Response(404, headers=headers))
    return headers


@pytest.mark.parametrize(("moved", "code"), [(0, 0), (50, 0), (400, 1)])
def test_a_clock_that_is_wrong_fails(there: dict[str, str], moved: int, code: int) -> None:
    clock.move_offset(moved)
    found, said = run("sandbox")
    assert (found, "clock" in said) == (code, True), said


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Foo 2026 10:00:00 GMT"])
def test_a_gateway_without_a_clock_is_said_so(there: dict[str, str], date: str) -> None:
    there["Date"] = date
    code, said = run("sandbox")
    assert (code, "look   clock" in said) == (0, True), said


def test_nobody_there_fails_before_anything_is_asked(settings: Any) -> None:
    values = (("api_url", "http://127.0.0.1:1"), ("timeout_s", "1"))
    settings.GATEWAYS = {"sandbox": [Account("sandbox", values=values)]}
    code, said = run("sandbox")
    assert (code, "FAILED reachability" in said, "credentials" in said) == (1, True, False)


@pytest.mark.parametrize("options", [("acme",), ("sandbox", "--account", "books")])
def test_what_is_not_set_up_is_said_so(options: tuple[str, ...]) -> None:
    code, said = run(*options)
    assert (code, "Set up are: " in said) == (2, True)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://sandbox.example", True),
        ("http://localhost:8420", True),
        ("http://127.0.0.1:8420", True),
        ("http://[::1]:8420", True),
        ("https://sandbox.example.evil.example", False),
        ("https://live.example/sandbox.example", False),
        ("https://sandbox.example@live.example", False),
        ("https://10.0.0.1", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_the_test_host_and_this_machine_are_taken_for_tests(address: str, own: bool) -> None:
    assert is_of(address, "sandbox.example") is own


# What only one gateway has --------------------------------------------------------------------------


class Told:
    """A gateway's client that answers every question with the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get(self, path: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    all = may_ask = lambda self, *args, **kwargs: self.answer


def verdicts(findings: Iterable[Finding]) -> dict[str, Verdict]:
    return {each.what: each.verdict for each in findings}


@pytest.mark.parametrize(
    ("webhook", "found"),
    [
        ({"url": "http://localhost:8000/webhooks/paypal/", "event_types": [{"name": "*"}]}, ("GOOD", "GOOD")),
        ({"url": "https://old.example/", "event_types": [{"name": "*"}]}, ("DOUBTED", "GOOD")),
        ({"url": "http://localhost:8000/webhooks/paypal/", "event_types": [{"name": "X"}, 1]}, ("GOOD", "BAD")),
        ({"url": None, "event_types": None}, ("DOUBTED", "BAD")),
    ],
)
def test_paypals_webhook_is_this_shops(settings: Any, webhook: dict[str, Any], found: tuple[str, str]) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    told: Any = Told(webhook)
    said = verdicts(paypal.check(told, account("paypal", webhook_id="WH1")))
    assert (said["webhook id"].name, said["webhook events"].name) == found


def test_a_webhook_id_that_paypal_does_not_know_fails() -> None:
    told: Any = Told(Refusal(404, {"name": "INVALID_RESOURCE_ID"}))
    assert verdicts(paypal.check(told, account("paypal", webhook_id="WH1")))["webhook id"] is Verdict.BAD


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (stripe.check, {"secret_key": "sk_test_1", "publishable_key": "pk_live_1"}),
        (stripe.check, {"secret_key": "sk_live_1", "publishable_key": "pk_test_1"}),
        (paymob.check, {"secret_key": "egy_sk_test_1", "public_key": "egy_pk_live_1"}),
    ],
)
def test_keys_of_two_modes_fail(check: Any, values: dict[str, str]) -> None:
    assert Verdict.BAD in [each.verdict for each in check(Told([1]), account("any", **values))]
