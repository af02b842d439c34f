"""Payment commands: start, verify, settle what gateways report, take, refund."""

from backend.payments.services.calls import CallRunning
from backend.payments.services.capturing import cancel_payment, capture_payment
from backend.payments.services.deciding import decide_flagged, refund_order, replay_webhook
from backend.payments.services.forgetting import delete_rejected_messages
from backend.payments.services.refunding import execute_refund, request_refund
from backend.payments.services.saving import KeptMethod, begin_saving, forget_method, list_methods
from backend.payments.services.settling import apply_report
from backend.payments.services.starting import StartedPayment, start_payment
from backend.payments.services.sweeping import retry_silent_refunds, verify_silent_payments, verify_unclaimed_payments
from backend.payments.services.verifying import (
    note_dead_webhook,
    process_webhook,
    verify_payment,
    verify_returned,
)
from backend.payments.services.winding_up import wind_up

__all__ = [
    "CallRunning",
    "KeptMethod",
    "StartedPayment",
    "apply_report",
    "begin_saving",
    "cancel_payment",
    "capture_payment",
    "decide_flagged",
    "delete_rejected_messages",
    "execute_refund",
    "forget_method",
    "list_methods",
    "note_dead_webhook",
    "process_webhook",
    "refund_order",
    "replay_webhook",
    "request_refund",
    "retry_silent_refunds",
    "start_payment",
    "verify_payment",
    "verify_returned",
    "verify_silent_payments",
    "verify_unclaimed_payments",
    "wind_up",
]
