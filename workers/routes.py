"""Which actors hear of which domain event. Actors are named by queue and name: sending costs no import."""

from typing import NamedTuple


class Route(NamedTuple):
    """The actor gets the event's id, key and data."""

    queue: str
    actor: str


ROUTES: dict[str, tuple[Route, ...]] = {
    "order.paid": (Route("notifications", "send_order_confirmation"),),
    "order.payment_flagged": (Route("notifications", "send_payment_notice"),),
    "webhook.given_up": (Route("notifications", "send_webhook_notice"),),
    "account.mail_due": (Route("notifications", "send_account_mail"),),
    "password.reset_requested": (Route("notifications", "send_password_reset"),),
    "code.requested": (Route("notifications", "send_code"),),
    "session.token_reused": (Route("notifications", "warn_of_reused_token"),),
    "vendor.approved": (Route("notifications", "send_vendor_decision"),),
    "vendor.suspended": (Route("notifications", "send_vendor_decision"),),
    "vendor.clerk_invited": (Route("notifications", "send_vendor_invitation"),),
    "webhook.received": (Route("payments", "process_webhook"),),
    "order.expired": (Route("payments", "wind_up"),),
    "order.cancelled": (Route("payments", "wind_up"),),
    "payment.returned": (Route("payments", "verify_returned"),),
    "refund.requested": (Route("payments", "execute_refund"),),
    "sandbox.webhook_due": (Route("payments", "deliver_sandbox_webhook"),),
}
