"""Payments' part of what is known of a person: what they paid, and who they are to gateways."""

from typing import Any

from backend.core.personal import PersonalData
from backend.payments.models import GatewayCustomer, Payment, WebhookMessage, WebhookState


def export(user_id: int) -> dict[str, Any]:
    payments = Payment.objects.filter(order__customer_id=user_id).order_by("created_at", "pk")
    columns = ("order__number", "gateway", "state", "method", "amount", "currency", "reference", "created_at")
    known = GatewayCustomer.objects.filter(user_id=user_id).order_by("pk")
    return {
        "payments": list(payments.values(*columns)),
        "gateways": list(known.values("gateway", "account", "reference")),
    }


def erase(user_id: int) -> None:
    """Payments are kept for the books; that a gateway keeps ways to pay for somebody is forgotten here.

    So is what gateways wrote: names and addresses stand in it. Messages that nobody has settled yet stay.
    """
    GatewayCustomer.objects.filter(user_id=user_id).delete()
    messages = WebhookMessage.objects.filter(payment__order__customer_id=user_id, state=WebhookState.PROCESSED)
    messages.update(body=b"", headers={}, query={})


PAYMENTS = PersonalData("payments", export, erase)
