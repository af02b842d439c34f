"""Payment commands: start, verify, settle what gateways report, refund."""

from backend.payments.services.refunding import execute_refund, request_refund
from backend.payments.services.settling import apply_report
from backend.payments.services.starting import StartedPayment, start_payment
from backend.payments.services.verifying import process_webhook, verify_payment, verify_silent_payments

__all__ = [
    "StartedPayment",
    "apply_report",
    "execute_refund",
    "process_webhook",
    "request_refund",
    "start_payment",
    "verify_payment",
    "verify_silent_payments",
]
