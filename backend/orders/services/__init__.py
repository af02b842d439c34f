"""Order commands: place, settle, expire, and the events that they leave."""

from backend.orders.access import access_order, lock_order
from backend.orders.services.claiming import claim_orders
from backend.orders.services.events import record_event
from backend.orders.services.expiry import expire_unpaid_orders
from backend.orders.services.placing import Placement, place_order
from backend.orders.services.purchase import ExpectedTotal, PlaceOrder
from backend.orders.services.settling import (
    CaptureOutcome,
    apply_capture,
    apply_refund,
    check_payable,
    flag_payment,
    note_payment_authorized,
    note_payment_failed,
    note_payment_started,
    revert_refund,
)

__all__ = [
    "CaptureOutcome",
    "ExpectedTotal",
    "PlaceOrder",
    "Placement",
    "access_order",
    "apply_capture",
    "apply_refund",
    "check_payable",
    "claim_orders",
    "expire_unpaid_orders",
    "flag_payment",
    "lock_order",
    "note_payment_authorized",
    "note_payment_failed",
    "note_payment_started",
    "place_order",
    "record_event",
    "revert_refund",
]
