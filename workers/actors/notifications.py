"""What people are told."""

from typing import Any
from uuid import UUID

import dramatiq

from backend.notifications import account_mails, services, staff_mails, vendor_mails

QUEUE = "notifications"


@dramatiq.actor(
    queue_name=QUEUE,
    priority=10,  # when much waits, money is settled first, and each payment makes one of these
    max_retries=10,
    min_backoff=2_000,
    max_backoff=600_000,
    time_limit=60_000,  # ms
)
def send_order_confirmation(event_id: str, order_id: str, data: dict[str, Any]) -> None:
    """One email for each paid order."""
    services.send_order_confirmation(event_id=UUID(event_id), order_id=UUID(order_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_account_mail(event_id: str, user_id: str, data: dict[str, Any]) -> None:
    """One mail about somebody's account."""
    told = {name: str(data.get(name, "")) for name in ("to", "language")}
    account_mails.send_account_mail(event_id=UUID(event_id), user_id=int(user_id), kind=data["kind"], **told)


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_password_reset(event_id: str, key: str, data: dict[str, Any]) -> None:
    """A link to whoever has the address, if anybody has."""
    account_mails.send_password_reset(event_id=UUID(event_id), email=data["email"])


@dramatiq.actor(queue_name=QUEUE, max_retries=5, min_backoff=2_000, max_backoff=60_000, time_limit=60_000)  # ms
def send_code(event_id: str, challenge_id: str, data: dict[str, Any]) -> None:
    """A one-time code to whoever has the destination, if anybody has; not any more when its time is over."""
    account_mails.send_code(event_id=UUID(event_id), challenge_id=UUID(challenge_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def warn_of_reused_token(event_id: str, session_id: str, data: dict[str, Any]) -> None:
    """Tell somebody that one of their sign-ins was copied."""
    account_mails.send_account_mail(event_id=UUID(event_id), user_id=data["user_id"], kind="token_reused")


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_vendor_decision(event_id: str, vendor_id: str, data: dict[str, Any]) -> None:
    """Tell a vendor's owners what the shop has decided."""
    vendor_mails.send_vendor_decision(event_id=UUID(event_id), vendor_id=int(vendor_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_vendor_invitation(event_id: str, invitation_id: str, data: dict[str, Any]) -> None:
    """A link to come and work for a vendor."""
    vendor_mails.send_vendor_invitation(event_id=UUID(event_id), invitation_id=int(invitation_id))


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_payment_notice(event_id: str, order_id: str, data: dict[str, Any]) -> None:
    """Tell staff that a payment needs them."""
    staff_mails.send_payment_notice(event_id=UUID(event_id), order_id=UUID(order_id), sequence=int(data["sequence"]))


@dramatiq.actor(queue_name=QUEUE, max_retries=10, min_backoff=2_000, max_backoff=600_000, time_limit=60_000)  # ms
def send_webhook_notice(event_id: str, message_id: str, data: dict[str, Any]) -> None:
    """Tell staff that a gateway's message could not be settled."""
    staff_mails.send_webhook_notice(event_id=UUID(event_id), message_id=int(message_id))
