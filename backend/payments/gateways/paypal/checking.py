"""Whether PayPal knows the account and its webhook, for `manage.py gateway_check`."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from backend.payments.gateways.accounts import DEFAULT, Account
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.hosts import is_of
from backend.payments.gateways.optional import Finding, Verdict
from backend.payments.gateways.paypal.api import Api, Refusal

SANDBOX = ("api-m.sandbox.paypal.com", "api.sandbox.paypal.com")
WANTED = ("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED")


def is_live(account: Account) -> bool:
    return not is_of(account["api_url"], *SANDBOX)


def check(api: Api, account: Account) -> Iterator[Finding]:
    try:
        webhook: dict[str, Any] = api.get(f"/v1/notifications/webhooks/{account['webhook_id']}")
    except Refusal as error:
        if error.status not in (403, 404):
            raise GatewayUnavailable(str(error)) from None
        yield Finding("credentials", "PayPal accepts the client id and the secret.")
        unknown = f"The app has no webhook PAYPAL_WEBHOOK_ID, or may not tell of it: {error.issue}."
        yield Finding("webhook id", unknown, Verdict.BAD)
        return
    yield Finding("credentials", "PayPal accepts the client id and the secret.")
    own = "" if account.name == DEFAULT else f"{account.name}/"
    ours, theirs = f"{settings.PUBLIC_URL}/webhooks/paypal/{own}", str(webhook.get("url"))
    if theirs == ours:
        yield Finding("webhook id", "PayPal sends its messages to this shop.")
    else:
        yield Finding("webhook id", f"PayPal sends them to {theirs[:200]!r}, and this shop is {ours}", Verdict.DOUBTED)
    types = webhook.get("event_types")
    names = {str(each.get("name")) for each in types if isinstance(each, dict)} if isinstance(types, list) else set()
    missing = [] if "*" in names else [name for name in WANTED if name not in names]
    if missing:
        yield Finding("webhook events", f"These are not sent: {', '.join(missing)}.", Verdict.BAD)
    else:
        yield Finding("webhook events", "All that the shop needs are sent.")
