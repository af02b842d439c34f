"""Ways to pay that Stripe keeps for a customer."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import stripe

from backend.payments.gateways.optional import SavedMethod
from backend.payments.gateways.stripe.client import Client, keyed, understood
from backend.payments.gateways.stripe.codes import Missing
from backend.payments.gateways.stripe.reports import method_of

MOST_KEY = 255
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


def create_customer(client: Client, *, key: str, email: str, name: str) -> str:
    params: stripe.params.CustomerCreateParams = {"email": email, "name": name} if name else {"email": email}
    # Our key is a number of this database's: another shop on the same test account has the same.
    own = sha256(f"{key}\n{email}\n{name}".encode()).hexdigest()
    made = client.one(lambda v1: v1.customers.create(params, keyed(f"customer:{own}")))
    with understood():
        return str(made["id"])


def begin_saving(client: Client, customer: str, *, key: str, publishable_key: str) -> Mapping[str, str]:
    """A SetupIntent, which Stripe.js confirms with the client secret."""
    params: stripe.params.SetupIntentCreateParams = {
        "customer": customer,
        "usage": "on_session",
        "automatic_payment_methods": {"enabled": True},
    }
    own = f"{customer}:{key}"
    if len(own) > MOST_KEY:
        own = sha256(own.encode()).hexdigest()
    begun = client.one(lambda v1: v1.setup_intents.create(params, keyed(own)))
    with understood():
        return {
            "type": "CLIENT_SECRET",
            "client_secret": str(begun["client_secret"]),
            "publishable_key": publishable_key,
        }


def saved_methods(client: Client, customer: str) -> list[SavedMethod]:
    rows = client.all(lambda v1: v1.customers.payment_methods.list(customer, {"limit": 100}), most=100)
    with understood():
        return [_method(row) for row in rows]


def has_method(client: Client, customer: str, method_id: str) -> bool:
    """Whether it is this customer's. What cannot be an id is nobody's: it would be another address."""
    if not _ID.fullmatch(method_id):
        return False
    try:
        found = client.one(lambda v1: v1.customers.payment_methods.retrieve(customer, method_id))
    except Missing:
        return False
    return found.get("customer") == customer


def forget_method(client: Client, customer: str, method_id: str) -> bool:
    if not has_method(client, customer, method_id):
        return False
    client.one(lambda v1: v1.payment_methods.detach(method_id, None, keyed(f"forget:{method_id}")))
    return True


def _method(told: Mapping[str, Any]) -> SavedMethod:
    kind = str(told["type"])
    details = told.get(kind) or {}
    name = str(details.get("brand") or kind).replace("_", " ")
    last = str(details.get("last4") or "")[-4:]
    month, year = details.get("exp_month"), details.get("exp_year")
    return SavedMethod(
        id=str(told["id"]),
        method=method_of(told),
        label=f"{name[:1].upper()}{name[1:]}" + (f" •••• {last}" if last else ""),
        expires=f"{int(year):04}-{int(month):02}" if month and year else "",
    )
