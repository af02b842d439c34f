"""Payment reads, for many orders at once."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from backend.payments.models import Payment, PaymentTransaction, Refund, TransactionKind


def payments_by_order(order_ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """Order id -> its payments, oldest first; orders without any are absent."""
    found: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in Payment.objects.filter(order_id__in=list(order_ids)).order_by("created_at", "pk"):
        found[payment.order_id].append(payment)
    return found


def refunds_by_payment(payment_ids: Iterable[UUID]) -> dict[UUID, list[Refund]]:
    """Payment id -> its refunds, oldest first; payments without any are absent."""
    found: dict[UUID, list[Refund]] = defaultdict(list)
    for refund in Refund.objects.filter(payment_id__in=list(payment_ids)).order_by("created_at", "pk"):
        found[refund.payment_id].append(refund)
    return found


def captured_at_by_payment(payment_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Payment id -> when its money was first taken; payments that took none are absent."""
    captures = PaymentTransaction.objects.filter(payment_id__in=list(payment_ids), kind=TransactionKind.CAPTURE)
    return dict(captures.values_list("payment_id").annotate(Min("created_at")))
