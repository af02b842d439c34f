"""Reads the environment for the settings. What cannot work is refused in one sentence that names the variable."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import environ
from babel.core import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from django.core.exceptions import ImproperlyConfigured
from limits import parse_many

from backend.core.addresses import COUNTRIES
from backend.core.caller import Role

CALLERS = ("anonymous", "customer", "vendor", "staff")
"""Who asks, as far as operations are counted."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
YES_OR_NO = {*environ.Env.BOOLEAN_TRUE_STRINGS, "0", "1", "false", "off", "no", "n"}


class Rule(NamedTuple):
    """What a variable must be, as a test and in words."""

    holds: Callable[[Any], bool]
    words: str
    secret: bool = False  # a password may stand in it, so it is not shown


def _whole(least: int, most: int = 10**9) -> Rule:
    return Rule(lambda number: least <= number <= most, f"a whole number from {least} to {most}")


def _address(schemes: set[str], words: str, *, secret: bool = False) -> Rule:
    def holds(text: str) -> bool:
        try:
            parts = urlsplit(text)
            return parts.scheme in schemes and parts.port != 0 and not any(map(str.isspace, text))
        except ValueError:  # of a port that is no number
            return False

    return Rule(holds, words, secret)


def _web_address(text: str) -> bool:
    rule = _address({"http", "https"}, "")
    return rule.holds(text) and bool(urlsplit(text).hostname) and not {"?", "#"} & set(text)


def _is_language(code: str) -> bool:
    try:
        return bool(Locale.parse(code))
    except (ValueError, UnknownLocaleError):
        return False


def _each_of(known: Callable[[str], bool], words: str) -> Rule:
    return Rule(lambda codes: bool(codes) and all(map(known, codes)), words)


def _are_tries(text: str) -> bool:
    try:
        return bool(parse_many(text))
    except ValueError:
        return False


def _is_rate(text: str) -> bool:
    name, _, count = text.partition("=")
    return name in CALLERS and count.isascii() and count.isdigit() and 0 < int(count) <= 10**9


def _is_mail(text: str) -> bool:
    name, _, host = text.rpartition("@")
    return bool(name and host) and not any(map(str.isspace, text))


TRIES = Rule(_are_tries, "numbers of tries in times, such as 5/minute;20/hour")
ANYTHING = Rule(lambda _: True, "")
WEB_ADDRESS = Rule(_web_address, "an address such as https://shop.example.com")
RULES = {
    "PORT": _whole(1, 65535),
    "WORKER_THREADS": _whole(1, 1000),
    "DB_POOL_SIZE": _whole(0, 1000),
    "RESERVATION_MINUTES": _whole(1, 365 * 24 * 60),
    "CART_DAYS": _whole(1, 3650),
    "CART_MAX_LINES": _whole(1),
    "LINE_MAX_QUANTITY": _whole(1),
    "GRAPHQL_MAX_BODY_BYTES": _whole(1),
    "GRAPHQL_MAX_TOKENS": _whole(1),
    "GRAPHQL_MAX_DEPTH": _whole(1),
    "GRAPHQL_MAX_ROOT_FIELDS": _whole(1),
    "GRAPHQL_MAX_DOCUMENT_BYTES": _whole(1),
    "PERSISTED_QUERY_DAYS": _whole(1, 3650),
    "TOKEN_LEEWAY_S": _whole(0, 300),
    "ACCESS_TOKEN_MINUTES": _whole(1, 24 * 60),
    "REFRESH_TOKEN_DAYS": _whole(1, 3650),
    "REFRESH_GRACE_S": _whole(0, 300),
    "EMAIL_LINK_HOURS": _whole(1, 24 * 365),
    "PASSWORD_LINK_MINUTES": _whole(1, 24 * 60),
    "LOGIN_TRIES": TRIES,
    "LOGIN_TRIES_PER_ADDRESS": TRIES,
    "LOGIN_TRIES_PER_ACCOUNT": TRIES,
    "REGISTRATIONS_PER_ADDRESS": TRIES,
    "MAILS_PER_ADDRESS": TRIES,
    "SOCIAL_STARTS_PER_ADDRESS": TRIES,
    "MAILS_PER_ACCOUNT": TRIES,
    "FORGED_WEBHOOKS_KEPT": TRIES,
    "QUESTIONS_PER_PAYMENT": TRIES,
    "CODE_MINUTES": _whole(1, 60),
    "CODE_TRIES": _whole(1, 20),
    "CODES_PER_DESTINATION": TRIES,
    "CODES_PER_DESTINATION_OVERALL": TRIES,
    "CODES_PER_ADDRESS": TRIES,
    "SECOND_FACTOR_TRIES": TRIES,
    "SECOND_FACTOR_TRIES_PER_ACCOUNT": TRIES,
    "SECOND_FACTOR_ROLES": _each_of({*Role}.__contains__, f"some of {', '.join(Role)}, with commas"),
    "OPERATIONS_PER_MINUTE": _each_of(_is_rate, f"some of {'=60, '.join(CALLERS)}=60, with commas"),
    "DATABASE_URL": _address(
        {"postgres", "postgresql"}, "a PostgreSQL's address: postgres://user:password@host:5432/name", secret=True
    ),
    "REDIS_URL": _address({"redis", "rediss", "unix"}, "a Redis' address: redis://, rediss:// or unix://", secret=True),
    "BROKER_URL": _address(
        {"redis", "rediss", "unix", "amqp", "amqps"}, "the address of a Redis or a RabbitMQ (amqp://)", secret=True
    ),
    "EMAIL_URL": _address(
        set(environ.Env.EMAIL_SCHEMES), "a mail server's address: smtp+tls://user:password@host:587", secret=True
    ),
    "STAFF_NOTICE_EMAILS": _each_of(_is_mail, "email addresses, with commas"),
    "METRICS_TOKEN": Rule(
        lambda token: len(token) >= 16 and token.isascii(), "at least 16 plain characters", secret=True
    ),
    "PUBLIC_URL": WEB_ADDRESS,
    "GOOGLE_AUTHORIZATION_URL": WEB_ADDRESS,
    "GOOGLE_TOKEN_URL": WEB_ADDRESS,
    "GOOGLE_USERINFO_URL": WEB_ADDRESS,
    "GITHUB_AUTHORIZATION_URL": WEB_ADDRESS,
    "GITHUB_TOKEN_URL": WEB_ADDRESS,
    "GITHUB_API_URL": WEB_ADDRESS,
    "SANDBOX_WEBHOOK_URL": WEB_ADDRESS,
    "LOG_LEVEL": Rule(lambda level: level.upper() in LOG_LEVELS, f"one of {', '.join(LOG_LEVELS)}"),
    "DEFAULT_COUNTRY": Rule(COUNTRIES.__contains__, "an ISO 3166 alpha-2 code"),
    "COUNTRIES_OFFERED": _each_of(COUNTRIES.__contains__, "ISO 3166 alpha-2 codes with commas"),
    "CURRENCIES_OFFERED": _each_of(list_currencies().__contains__, "ISO 4217 codes with commas"),
    "LANGUAGES_OFFERED": _each_of(_is_language, "language codes with commas"),
}


def check_providers(values: dict[str, Any]) -> None:
    """Refuse a provider that could not work, or not safely in production."""
    for provider, prefix in (("GOOGLE", "SOCIAL_AUTH_GOOGLE_OAUTH2_"), ("GITHUB", "SOCIAL_AUTH_GITHUB_")):
        key, secret = values[f"{prefix}KEY"], values[f"{prefix}SECRET"]
        if bool(key) != bool(secret):
            raise ImproperlyConfigured(f"{provider}_CLIENT_ID and {provider}_CLIENT_SECRET belong together.")
        urls = [value for name, value in values.items() if name.startswith(prefix) and name.endswith("_URL")]
        if not key or not values["PRODUCTION"]:
            continue
        if not all(url.startswith("https://") for url in urls):
            raise ImproperlyConfigured(f"Production speaks with {provider} by https:// alone.")
        if not values["SOCIAL_REDIRECT_URIS"]:
            raise ImproperlyConfigured(f"{provider} needs SOCIAL_REDIRECT_URIS: the pages it may send people back to.")


class Env(environ.Env):  # type: ignore[misc]
    """As django-environ reads, with the rules above. A variable that is empty counts as one that is not set."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.read_env(file)
        self.ENVIRON = {name: value for name, value in os.environ.items() if value.strip()}

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """One variable's value. Raises ImproperlyConfigured when it breaks its rule."""
        given = self.ENVIRON.get(var)
        if given is None:
            return super().get_value(var, cast, default, parse_default)
        rule = RULES.get(var, _whole(0) if cast is int else ANYTHING)
        if cast is bool:
            rule = Rule(lambda _: given.strip().lower() in YES_OR_NO, "1 or 0")
        try:
            value = super().get_value(var, cast, default, parse_default)
            if cast is list:
                value = [word for each in value if (word := each.strip())]
            fits = rule.holds(value)
        except ValueError:
            fits, value = False, given
        if not fits:
            shown = "" if rule.secret else f", not {given!r}"
            raise ImproperlyConfigured(f"{var} must be {rule.words}{shown}.")
        return value
