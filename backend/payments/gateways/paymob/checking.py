"""Whether Paymob knows the account, for `manage.py gateway_check`."""

from collections.abc import Iterator

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.base import ErrorCode, GatewayRefused
from backend.payments.gateways.optional import Finding, Verdict
from backend.payments.gateways.paymob.door import PaymobDoor

MODE = slice(7, 11)
"""egy_sk_test_…: a key says itself whether it is live."""


def is_live(account: Account) -> bool:
    return account["secret_key"][MODE] != "test"


def check(door: PaymobDoor, account: Account) -> Iterator[Finding]:
    # No order has this number: 404 is what a key that may ask is told.
    if not door.may_ask("POST", "/api/ecommerce/orders/transaction_inquiry", {"order_id": 1}):
        raise GatewayRefused("Paymob does not let the key ask about payments.", code=ErrorCode.MISCONFIGURED)
    yield Finding("credentials", "Paymob lets the key ask about payments.")
    if account["secret_key"][MODE] != account["public_key"][MODE]:
        yield Finding("credentials", "The public key and the secret key are of different modes.", Verdict.BAD)
    else:
        yield Finding("credentials", "The public key is of the same mode.")
    yield Finding("webhook secret", "The HMAC secret is set; only a message can prove it: pay once with a test card.")
