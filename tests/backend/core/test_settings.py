"""The environment is refused where it cannot work, and production starts only when it is safe to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
SAFE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k9-B7_q2Zx" * 6,
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgres://user:password@db/shop",
    "REDIS_URL": "redis://redis/0",
    "PUBLIC_URL": "https://shop.example",
}


def load(environment: dict[str, str], code: str = "import backend.settings") -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)


def test_safe_settings_start() -> None:
    assert load(SAFE).returncode == 0


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL"])
def test_production_refuses_to_start_without(name: str) -> None:
    result = load({key: value for key, value in SAFE.items() if key != name})
    assert result.returncode != 0
    assert name in result.stderr


@pytest.mark.parametrize("name", ["DEBUG", "TEST_CLOCK", "SANDBOX_GATEWAY", "GATEWAY_DOUBLES"])
def test_production_refuses_to_start_with(name: str) -> None:
    result = load({**SAFE, name: "1"})
    assert result.returncode != 0
    assert name in result.stderr


def test_production_asks_no_gateway_by_plain_http() -> None:
    account = {"ZARINPAL_MERCHANT_ID": "3f1b6c52-9d0e-4a77-8c11-5e2f7a90b001"}
    assert load({**SAFE, **account}).returncode == 0
    assert refusal({**SAFE, **account, "ZARINPAL_API_URL": "http://127.0.0.1:8421"}) == (
        "Production speaks with gateways by https:// alone: see ZARINPAL_API_URL."
    )


def refusal(environment: dict[str, str]) -> str:
    """What is said last, after the traceback that only a bare import shows."""
    result = load(environment)
    assert result.returncode != 0
    last = result.stderr.splitlines()[-1]
    return last.removeprefix("django.core.exceptions.ImproperlyConfigured: ")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SECRET_KEY", "short", "must be secret and at least 50 characters long."),
        ("SECRET_KEY", "k9" * 30, "must be random: it has fewer than 10 different characters."),
        ("ALLOWED_HOSTS", "*", "must name the shop's hosts; * admits any."),
        ("ALLOWED_HOSTS", " , ,", "must name the shop's hosts; it names none."),
        ("SMS_SENDER", "console", "is console, which would show codes to whoever reads the logs."),
        ("SMS_SENDER", "http", "is http, which needs SMS_URL, an https address."),
        ("SECOND_FACTOR_ROLES", "BOSS", "must be some of"),
        ("OPERATIONS_PER_MINUTE", "customer", "must be some of"),
        ("OPERATIONS_PER_MINUTE", "robot=5", "must be some of"),
        ("OPERATIONS_PER_MINUTE", "staff=0", "must be some of"),
        ("ENVIRONMENT", "staging", "is development, production or test, not 'staging'."),
        ("DATABASE_URL", "sqlite:///shop", "must be a PostgreSQL's address: postgres://user:password@host:5432/name."),
        ("REDIS_URL", "http://redis", "must be a Redis' address: redis://, rediss:// or unix://."),
        ("PUBLIC_URL", "http://shop.example", "must be https://, unless SECURE_SSL_REDIRECT=0 says that plain HTTP is"),
        ("PUBLIC_URL", "ftp://shop.example", "must be an address such as https://shop.example.com, not 'ftp://"),
    ],
)
def test_production_refuses_careless_values(name: str, value: str, reason: str) -> None:
    assert refusal({**SAFE, name: value}).startswith(f"{name} {reason}")


def test_production_without_https_starts_when_it_is_meant() -> None:
    assert load({**SAFE, "PUBLIC_URL": "http://localhost:8080", "SECURE_SSL_REDIRECT": "0"}).returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "0", "must be a whole number from 1 to 65535, not '0'."),
        ("DB_POOL_SIZE", "abc", "must be a whole number from 0 to 1000, not 'abc'."),
        ("DB_POOL_SIZE", "-1", "must be a whole number from 0 to 1000, not '-1'."),
        ("WORKER_THREADS", "0", "must be a whole number from 1 to 1000, not '0'."),
        ("RESERVATION_MINUTES", "0", "must be a whole number from 1 to 525600, not '0'."),
        ("LOW_STOCK", "-1", "must be a whole number from 0 to 1000000000, not '-1'."),
        ("METRICS_TOKEN", "short", "must be at least 16 plain characters."),
        ("DEBUG", "maybe", "must be 1 or 0, not 'maybe'."),
        ("LOG_LEVEL", "foo", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'foo'."),
        ("PUBLIC_URL", "foo", "must be an address such as https://shop.example.com, not 'foo'."),
        ("DATABASE_URL", "postgres://me:secret@host:port/shop", "must be a PostgreSQL's address: postgres://user:"),
        ("EMAIL_URL", "mail.example.com", "must be a mail server's address: smtp+tls://user:password@host:587."),
        ("DEFAULT_CURRENCY", "ZZZ", "is ZZZ, which is none of those offered: USD, EUR."),
        ("CURRENCIES_OFFERED", "USD,ZZZ", "must be ISO 4217 codes with commas, not 'USD,ZZZ'."),
        ("DEFAULT_LANGUAGE", "fr", "is fr, which is none of those offered: en, de."),
        ("LANGUAGES_OFFERED", "en,tlh-xx-yy-zz", "must be language codes with commas, not 'en,tlh-xx-yy-zz'."),
        ("DEFAULT_COUNTRY", "ZZ", "must be an ISO 3166 alpha-2 code, not 'ZZ'."),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(name: str, value: str, reason: str) -> None:
    assert refusal({name: value}).startswith(f"{name} {reason}")


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    read = "import backend.settings as s; print(s.PORT, s.RESERVATION_MINUTES, s.DATA_DIR == s.BASE_DIR / '.local')"
    names = ("PORT", "RESERVATION_MINUTES", "DATA_DIR", "DATABASE_URL", "COUNTRIES_OFFERED")
    assert load(dict.fromkeys(names, ""), read).stdout == "8000 15 True\n"


def test_lists_bear_spaces_and_a_tilde_is_the_home_folder() -> None:
    read = "import backend.settings as s; print(s.ALLOWED_HOSTS, s.DATA_DIR)"
    answer = load({"ALLOWED_HOSTS": " a.example , b.example,", "DATA_DIR": "~/shop", "HOME": "/home/ada"}, read)
    assert answer.stdout == "['a.example', 'b.example'] /home/ada/shop\n"


GOOGLE = {
    "GOOGLE_CLIENT_ID": "shop",
    "GOOGLE_CLIENT_SECRET": "secret",
    "SOCIAL_REDIRECT_URIS": "https://shop.example/signed-in",
}


def test_a_provider_that_is_whole_starts() -> None:
    assert load({**SAFE, **GOOGLE}).returncode == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"GOOGLE_CLIENT_SECRET": ""}, "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together."),
        ({"SOCIAL_REDIRECT_URIS": ""}, "GOOGLE needs SOCIAL_REDIRECT_URIS"),
        ({"GOOGLE_TOKEN_URL": "http://accounts.example/token"}, "Production speaks with GOOGLE by https:// alone."),
    ],
)
def test_a_provider_that_could_not_work_or_not_safely_is_refused(changed: dict[str, str], reason: str) -> None:
    assert refusal({**SAFE, **GOOGLE, **changed}).startswith(reason)
