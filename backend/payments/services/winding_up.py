"""Orders that are over keep no money: what came in part goes back, what is set aside is given up."""

import logging
from uuid import UUID

from django.db import transaction

from backend.orders.models import OrderStatus
from backend.orders.services import lock_order
from backend.payments.gateways.base import GatewayRefused
from backend.payments.models import Payment, PaymentState
from backend.payments.services.capturing import give_up
from backend.payments.services.refunding import refundable, request_refund

logger = logging.getLogger(__name__)
OVER = (OrderStatus.EXPIRED, OrderStatus.CANCELLED)


def wind_up(order_id: UUID) -> None:
    """Give back what an expired or cancelled order was paid, and give up what is set aside.

    The same again does nothing. Must not run inside a transaction. Raises GatewayUnavailable: run it again.
    """
    for payment in _give_back(order_id):
        try:
            give_up(payment, "The order is over.")
        except GatewayRefused:
            logger.warning("Payment %s could not be given up at its gateway: it lapses there", payment.pk)


@transaction.atomic
def _give_back(order_id: UUID) -> list[Payment]:
    """The payments that are set aside still."""
    order = lock_order(order_id)
    if order.status not in OVER:
        return []
    payments = Payment.objects.select_for_update(of=("self",)).select_related("order").filter(order=order)
    found = list(payments.order_by("created_at", "pk"))
    for payment in found:
        left = refundable(payment) if payment.counted else 0
        if left > 0:
            request_refund(payment, amount=left, reason="The order is over.")
    return [payment for payment in found if payment.state == PaymentState.AUTHORIZED]
