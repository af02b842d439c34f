"""Merchant accounts at gateways, as the environment names them. Settings read this: it knows nothing of Django's apps.

`STRIPE_SECRET_KEY` and its like are the account "default". `STRIPE_ACCOUNTS=eu,books` names more: each has its own
`STRIPE_EU_SECRET_KEY`, and so on. Every account may say for what it is: `STRIPE_EU_CURRENCIES=EUR`,
`STRIPE_EU_COUNTRIES=DE,FR`, `STRIPE_BOOKS_VENDORS=slug`, and `STRIPE_CAPTURE=MANUAL`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured

DEFAULT = "default"
_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")


@dataclass(frozen=True, slots=True)
class Account:
    """One merchant account. `account["secret_key"]` is its setting of that name; settings are never printed."""

    gateway: str
    name: str = DEFAULT
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    currencies: frozenset[str] = frozenset()
    """Empty: every currency that the gateway takes."""
    countries: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    """Slugs: orders of these vendors alone go to this account. Empty: any order."""
    manual_capture: bool = False

    def __getitem__(self, key: str) -> str:
        return dict(self.values)[key]


def account(gateway: str, name: str = DEFAULT, /, **values: str) -> Account:
    """For tests and doubles: an account with these settings."""
    return Account(gateway=gateway, name=name, values=tuple(sorted(values.items())))


def read_accounts(
    env: Any,
    prefix: str,
    *,
    required: list[str],
    optional: Mapping[str, str],
    shapes: Mapping[str, str] | None = None,
) -> list[Account]:
    """A gateway's accounts; none when not one of its required variables is set.

    Names are written out in full (STRIPE_SECRET_KEY), so that they can be found. `shapes` are regular expressions that
    values must match as a whole: a secret key given as the public one is found before anybody sees it. Raises
    ImproperlyConfigured for an account that has some of its required variables and not others, or an odd value.
    """
    gateway = prefix.lower()
    shapes = shapes or {}
    accounts = [_read(env, prefix, gateway, DEFAULT, required, optional, shapes)]
    for name in env.list(f"{prefix}_ACCOUNTS", default=[]):
        if not _NAME.fullmatch(name) or name == DEFAULT:
            raise ImproperlyConfigured(f"{prefix}_ACCOUNTS names accounts in small letters and digits, not {name!r}.")
        found = _read(env, prefix, gateway, name, required, optional, shapes)
        if found is None:
            raise ImproperlyConfigured(f"{prefix}_ACCOUNTS names {name}, which has none of its variables set.")
        accounts.append(found)
    return [each for each in accounts if each is not None]


def _read(
    env: Any,
    prefix: str,
    gateway: str,
    name: str,
    required: list[str],
    optional: Mapping[str, str],
    shapes: Mapping[str, str],
) -> Account | None:
    own = prefix if name == DEFAULT else f"{prefix}_{name.upper()}"

    def variable(full: str) -> str:
        return f"{own}_{full.removeprefix(f'{prefix}_')}"

    given = {full: env.str(variable(full), default="") for full in required}
    if not any(given.values()):
        return None
    missing = [variable(full) for full, value in given.items() if not value]
    if missing:
        raise ImproperlyConfigured(f"{own} is set in part: it needs {', '.join(missing)} too.")
    given |= {full: env.str(variable(full), default=default) for full, default in optional.items()}
    for full, shape in shapes.items():
        if not re.fullmatch(shape, given[full]):
            raise ImproperlyConfigured(f"{variable(full)} is not what it should be: see .env.example.")
    capture = env.str(f"{own}_CAPTURE", default="AUTOMATIC").upper()
    if capture not in ("AUTOMATIC", "MANUAL"):
        raise ImproperlyConfigured(f"{own}_CAPTURE is AUTOMATIC or MANUAL, not {capture!r}.")
    return Account(
        gateway=gateway,
        name=name,
        values=tuple(sorted((full.removeprefix(f"{prefix}_").lower(), value) for full, value in given.items())),
        currencies=frozenset(env.list(f"{own}_CURRENCIES", default=[])),
        countries=frozenset(env.list(f"{own}_COUNTRIES", default=[])),
        vendors=frozenset(env.list(f"{own}_VENDORS", default=[])),
        manual_capture=capture == "MANUAL",
    )
