"""Whether Stripe knows the account, for `manage.py gateway_check`."""

from collections.abc import Iterator

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.optional import Finding, Verdict
from backend.payments.gateways.stripe.client import Client


def is_live(account: Account) -> bool:
    """A key says so itself: sk_test_, rk_test_."""
    return account["secret_key"][3:8] != "test_"


def check(client: Client, account: Account) -> Iterator[Finding]:
    client.all(lambda v1: v1.balance_transactions.list({"limit": 1}), most=1)
    yield Finding("credentials", "Stripe accepts the secret key, and lets it read the balance's transactions.")
    if is_live(account) == account["publishable_key"].startswith("pk_test_"):
        said = "The publishable key and the secret key are of different modes."
        yield Finding("credentials", said, Verdict.BAD)
    else:
        yield Finding("credentials", "The publishable key is of the same mode.")
    yield Finding("webhook secret", "It is set; only a message can prove it: send one from the dashboard.")
