"""Payment commands: start, verify, settle what gateways report, take, refund."""

from backend.payments.services.capturing import cancel_payment, capture_payment
from backend.payments.services.refunding import execute_refund, request_refund
from backend.payments.services.settling import apply_report
from backend.payments.services.starting import StartedPayment, start_payment
from backend.payments.services.sweeping import retry_silent_refunds, verify_silent_payments
from backend.payments.services.verifying import process_webhook, verify_payment, verify_returned

__all__ = [
    "StartedPayment",
    "apply_report",
    "cancel_payment",
    "capture_payment",
    "execute_refund",
    "process_webhook",
    "request_refund",
    "retry_silent_refunds",
    "start_payment",
    "verify_payment",
    "verify_returned",
    "verify_silent_payments",
]
