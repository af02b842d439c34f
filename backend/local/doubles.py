"""`GATEWAY_DOUBLES=1 make run`: a double of each gateway beside the shop, with no account and no internet.

The doubles are processes of the tests, which no image of the shop has. They keep what they are told in memory.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from environ import Env

from backend.local.address import free_port
from backend.local.errors import LocalError

SWITCH = "GATEWAY_DOUBLES"
CURRENCIES = "USD,EUR,EGP,BDT,IRR"
"""What the shop offers unless told otherwise: Paymob, SSLCommerz and Zarinpal take one currency each."""


@dataclass(frozen=True)
class Double:
    """The merchant account that a double knows, as variables of the environment. Its address is added."""

    name: str
    taken: str
    """Which orders it pays, in words."""
    account: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    """What the environment may say otherwise."""
    address_too: str = ""
    """A second variable for an address of the same double, with the path there."""


DOUBLES = {
    "stripe": Double(
        "Stripe",
        "USD, EUR and more; STRIPE_FLOW=CLIENT_SECRET: see docs/payments.md",
        {
            "STRIPE_SECRET_KEY": "sk_test_double",
            "STRIPE_PUBLISHABLE_KEY": "pk_test_double",
            "STRIPE_WEBHOOK_SECRET": "whsec_double_2f6c1d9a",
        },
        {"STRIPE_FLOW": "REDIRECT"},
    ),
    "paypal": Double(
        "PayPal",
        "USD, EUR and more",
        {
            "PAYPAL_CLIENT_ID": "fake-client",
            "PAYPAL_CLIENT_SECRET": "fake-secret-that-nobody-may-see",
            "PAYPAL_WEBHOOK_ID": "5FAKEWEBHOOK000001",
            "PAYPAL_MERCHANT_ID": "FAKEMERCHANT1",
        },
    ),
    "paymob": Double(
        "Paymob",
        "EGP",
        {
            "PAYMOB_SECRET_KEY": "egy_sk_test_kat0123456789",
            "PAYMOB_PUBLIC_KEY": "egy_pk_test_kat0123456789",
            "PAYMOB_HMAC_SECRET": "kat-paymob-hmac-secret",
            "PAYMOB_INTEGRATIONS": "4097001",
            "PAYMOB_AUTH_INTEGRATIONS": "4097002",
            "PAYMOB_CURRENCY": "EGP",
            "PAYMOB_API_KEY": "",
            "PAYMOB_IFRAME_ID": "",
        },
    ),
    "sslcommerz": Double(
        "SSLCommerz",
        "BDT",
        {"SSLCOMMERZ_STORE_ID": "katstore001", "SSLCOMMERZ_STORE_PASSWD": "katstore001@ssl"},
    ),
    "zarinpal": Double(
        "Zarinpal",
        "IRR",
        {
            "ZARINPAL_MERCHANT_ID": "3f1b6c52-9d0e-4a77-8c11-5e2f7a90b001",
            "ZARINPAL_ACCESS_TOKEN": "kat-access-token-secret",
            "ZARINPAL_TERMINAL_ID": "250",
        },
        address_too="ZARINPAL_GRAPHQL_URL /api/v4/graphql/",
    ),
}


class Doubles:
    """Which doubles run beside this shop, and where. None unless GATEWAY_DOUBLES says so."""

    def __init__(self) -> None:
        """Raises LocalError where the shop is not one for play, or what the doubles need is not installed."""
        self.ports: dict[str, int] = {}
        self.left_out: dict[str, str] = {}
        """Gateway -> why it has no double here."""
        if not _is_on(SWITCH):
            return
        _refuse_earnest()
        without = next((name for name in ("localstripe", "openapi_schema_validator") if find_spec(name) is None), None)
        if without:
            raise LocalError(f"{SWITCH} needs packages of the tests ({without}): run `make dev` once.")
        if not _has_ipv6():
            self.left_out["stripe"] = "its double listens on IPv6, which this machine does not have"
        self.ports = {gateway: free_port() for gateway in DOUBLES if gateway not in self.left_out}

    def commands(self) -> dict[str, str]:
        """What to run, by name, as lines of a Procfile.

        Their numbers go on where those of an earlier run cannot be: the shop remembers each.
        """
        first = int(time.time()) % 10**9 * 1000
        return {
            gateway: f"python -m tests.gateways.fakes.{gateway} --port {port} --deliver --first {first}"
            for gateway, port in self.ports.items()
        }

    def variables(self, environment: Mapping[str, str], *, shop: str) -> dict[str, str]:
        """What the shop's environment must say. Real accounts in it are put out of use: nothing is asked of them.

        `shop` is its address on this machine. Accounts that STRIPE_ACCOUNTS names are the double's too.
        """
        if not self.ports:
            return {}
        found = {"STRIPE_DOUBLE_TELLS": f"{shop}/webhooks/stripe/"}
        for gateway, double in DOUBLES.items():
            prefix = gateway.upper()
            if gateway in self.left_out:
                found |= {f"{prefix}_ACCOUNTS": "", **dict.fromkeys(double.account, "")}
                continue
            url = self.url(gateway)
            found |= {**double.account, f"{prefix}_API_URL": url, f"{prefix}_ACCOUNTS": ""}
            found |= {name: environment.get(name) or value for name, value in double.defaults.items()}
            if double.address_too:
                name, path = double.address_too.split()
                found[name] = url + path
        if "stripe" in self.ports:
            found |= self._more_of_stripe(environment.get("STRIPE_ACCOUNTS", ""))
        return found | {"CURRENCIES_OFFERED": environment.get("CURRENCIES_OFFERED") or CURRENCIES}

    def _more_of_stripe(self, accounts: str) -> dict[str, str]:
        """The double tells accounts apart as Stripe does, by their keys."""
        found = {"STRIPE_ACCOUNTS": accounts}
        for name in filter(None, map(str.strip, accounts.split(","))):
            own = f"STRIPE_{name.upper()}"
            found |= {each.replace("STRIPE", own, 1): value for each, value in DOUBLES["stripe"].account.items()}
            found |= {f"{own}_SECRET_KEY": f"sk_test_double_{name}", f"{own}_API_URL": self.url("stripe")}
        return found

    def url(self, gateway: str) -> str:
        return f"http://127.0.0.1:{self.ports[gateway]}"

    def answer(self) -> bool:
        """Whether each of them listens."""
        return all(map(_listens, self.ports.values()))

    def lines(self) -> list[str]:
        """For the person at the terminal."""
        if not self.ports:
            return []
        wide = max(len(double.name) for double in DOUBLES.values())
        lines = [
            f"    {double.name:<{wide}}  {self.url(gateway)}  {double.taken}"
            if gateway in self.ports
            else f"    {double.name:<{wide}}  not offered: {self.left_out[gateway]}"
            for gateway, double in DOUBLES.items()
        ]
        return ["  Gateways beside the sandbox, each a double that moves no money", *lines, ""]


def _is_on(name: str, *, default: str = "") -> bool:
    return (os.environ.get(name) or default).strip().lower() in Env.BOOLEAN_TRUE_STRINGS


def _refuse_earnest() -> None:
    environment = os.environ.get("ENVIRONMENT") or "development"
    if environment == "production":
        raise LocalError(f"{SWITCH} is for development: with ENVIRONMENT=production no double is started.")
    if not _is_on("DEBUG", default="1" if environment == "development" else "0"):
        raise LocalError(f"{SWITCH} is for development: with DEBUG off no double is started.")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as door:
            door.bind(("::", 0))
    except OSError:
        return False
    return True


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
