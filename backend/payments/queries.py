"""Payment reads, for many orders at once."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from backend.payments.models import Payment


def payments_by_order(order_ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """Order id -> its payments, oldest first; orders without any are absent."""
    found: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in Payment.objects.filter(order_id__in=list(order_ids)).order_by("created_at", "pk"):
        found[payment.order_id].append(payment)
    return found
