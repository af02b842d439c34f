"""Which variables of the environment each gateway has. Settings read this: it knows nothing of Django's apps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.payments.gateways.accounts import Account, read_accounts

ADDRESS = r"https?://\S+"
SECONDS = r"\d{1,3}(\.\d+)?"
NAMES = r"[\w-]+(,[\w-]+)*"


@dataclass(frozen=True, slots=True)
class Variables:
    """As `accounts.read_accounts` takes them; each is explained in .env.example."""

    required: list[str]
    optional: Mapping[str, str]
    shapes: Mapping[str, str] = field(default_factory=dict)


VARIABLES = {
    "stripe": Variables(
        required=["STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET"],
        optional={
            "STRIPE_FLOW": "CLIENT_SECRET",
            "STRIPE_EXTRA_CURRENCIES": "",
            "STRIPE_TIMEOUT_S": "15",
            "STRIPE_API_URL": "https://api.stripe.com",
        },
        # What is mixed up here would show the secret key to every browser, or believe messages of anybody.
        shapes={
            "STRIPE_SECRET_KEY": r"[sr]k_\w+",
            "STRIPE_PUBLISHABLE_KEY": r"pk_\w+",
            "STRIPE_WEBHOOK_SECRET": r"whsec_\S{8,}",
            "STRIPE_FLOW": "CLIENT_SECRET|REDIRECT",
            "STRIPE_EXTRA_CURRENCIES": r"((BHD|JOD|OMR|TND|UGX)(,(BHD|JOD|OMR|TND|UGX))*)?",
            "STRIPE_TIMEOUT_S": r"\d+(\.\d+)?",
            "STRIPE_API_URL": r"https?://\S+",
        },
    ),
    "paypal": Variables(
        required=["PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID"],
        optional={
            "PAYPAL_API_URL": "https://api-m.paypal.com",
            "PAYPAL_TIMEOUT_S": "20",
            "PAYPAL_MERCHANT_ID": "",
            "PAYPAL_BRAND_NAME": "",
            "PAYPAL_SHIPPING_PREFERENCE": "NO_SHIPPING",
            "PAYPAL_MORE_CURRENCIES": "",
            "PAYPAL_EXPIRES_HOURS": "6",
            "PAYPAL_TRANSACTION_SEARCH": "0",
        },
        shapes={
            "PAYPAL_WEBHOOK_ID": r"[A-Za-z0-9]{1,50}",
            "PAYPAL_API_URL": r"https?://[^/]+/?",
            "PAYPAL_TIMEOUT_S": r"\d{1,3}(\.\d+)?",
            "PAYPAL_SHIPPING_PREFERENCE": "NO_SHIPPING|SET_PROVIDED_ADDRESS",
            "PAYPAL_MORE_CURRENCIES": "([A-Z]{3}(,[A-Z]{3})*)?",
            "PAYPAL_EXPIRES_HOURS": r"\d{1,4}",
            "PAYPAL_TRANSACTION_SEARCH": "[01]",
        },
    ),
    "paymob": Variables(
        required=["PAYMOB_SECRET_KEY", "PAYMOB_PUBLIC_KEY", "PAYMOB_HMAC_SECRET", "PAYMOB_INTEGRATIONS"],
        optional={
            "PAYMOB_API_URL": "https://accept.paymob.com",
            "PAYMOB_TIMEOUT_S": "15",
            "PAYMOB_CURRENCY": "EGP",
            "PAYMOB_AUTH_INTEGRATIONS": "",
            "PAYMOB_EXPIRATION_S": "3600",
            "PAYMOB_DIGITS": "",
            "PAYMOB_API_KEY": "",
            "PAYMOB_IFRAME_ID": "",
        },
        shapes={
            "PAYMOB_SECRET_KEY": r"[a-z]{3}_sk_\w+",
            "PAYMOB_PUBLIC_KEY": r"[a-z]{3}_pk_\w+",
            "PAYMOB_INTEGRATIONS": NAMES,
            "PAYMOB_AUTH_INTEGRATIONS": f"({NAMES})?",
            "PAYMOB_API_URL": ADDRESS,
            "PAYMOB_TIMEOUT_S": SECONDS,
            "PAYMOB_CURRENCY": "[A-Z]{3}",
            "PAYMOB_EXPIRATION_S": r"[1-9]\d{1,6}",
            "PAYMOB_DIGITS": "[0-4]?",
        },
    ),
    "sslcommerz": Variables(
        required=["SSLCOMMERZ_STORE_ID", "SSLCOMMERZ_STORE_PASSWD"],
        optional={
            "SSLCOMMERZ_API_URL": "https://securepay.sslcommerz.com",
            "SSLCOMMERZ_TIMEOUT_S": "15",
            "SSLCOMMERZ_FOREIGN_CURRENCIES": "",
            "SSLCOMMERZ_UNSIGNED": "reject",
            "SSLCOMMERZ_REFUND_KEYS": "0",
        },
        shapes={
            "SSLCOMMERZ_API_URL": ADDRESS,
            "SSLCOMMERZ_TIMEOUT_S": SECONDS,
            "SSLCOMMERZ_FOREIGN_CURRENCIES": "([A-Z]{3}(,[A-Z]{3})*)?",
            "SSLCOMMERZ_UNSIGNED": "reject|ask",
            "SSLCOMMERZ_REFUND_KEYS": "[01]",
        },
    ),
    "zarinpal": Variables(
        required=["ZARINPAL_MERCHANT_ID"],
        optional={
            "ZARINPAL_API_URL": "https://payment.zarinpal.com",
            "ZARINPAL_TIMEOUT_S": "15",
            "ZARINPAL_UNIT": "IRR",
            "ZARINPAL_ACCESS_TOKEN": "",
            "ZARINPAL_TERMINAL_ID": "",
            "ZARINPAL_REFUND_METHOD": "PAYA",
            "ZARINPAL_GRAPHQL_URL": "https://next.zarinpal.com/api/v4/graphql/",
        },
        shapes={
            "ZARINPAL_MERCHANT_ID": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "ZARINPAL_API_URL": ADDRESS,
            "ZARINPAL_TIMEOUT_S": SECONDS,
            "ZARINPAL_UNIT": "IRR|IRT",
            "ZARINPAL_TERMINAL_ID": r"\d*",
            "ZARINPAL_REFUND_METHOD": "PAYA|CARD",
            "ZARINPAL_GRAPHQL_URL": ADDRESS,
        },
    ),
}


def read_gateways(env: Any) -> dict[str, list[Account]]:
    """Each gateway's merchant accounts; none for one without variables."""
    return {
        gateway: read_accounts(env, gateway.upper(), required=has.required, optional=has.optional, shapes=has.shapes)
        for gateway, has in VARIABLES.items()
    }
