"""What went silent is asked about until it answers, ever less often: open payments, and refunds not yet made."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from django.db import transaction
from django.db.models import QuerySet

from backend.core import clock
from backend.payments.gateways import registry
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.gateways.optional import ListsUnclaimed
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import WAITING_STATES, Payment, Refund, RefundState
from backend.payments.patience import FORGOTTEN, next_question
from backend.payments.services.refunding import execute_refund
from backend.payments.services.settling import DECIDED
from backend.payments.services.verifying import ask_gateway

logger = logging.getLogger(__name__)
BATCH = 200
SWEEP_S = 45
"""A sweep begins each minute: this one stops before the next."""

Silent = TypeVar("Silent", Payment, Refund)


def verify_silent_payments() -> int:
    """Ask gateways about open payments, the longest due first; returns how many were asked about."""
    return _sweep(Payment.objects.filter(state__in=WAITING_STATES), _ask_about, forgotten=FORGOTTEN)


def verify_unclaimed_payments() -> int:
    """Ask about what gateways list as paid and not taken, also of payments that were given up; returns how many.

    Where nobody tells us of a payment, a buyer who pays late or after a failure is found here.
    """
    asked = 0
    for gateway in registry.enabled():
        if not gateway.capabilities.unclaimed:
            continue
        try:
            references = cast(ListsUnclaimed, gateway).unclaimed()
        except GatewayUnavailable:
            logger.warning("%s does not list what nobody has taken", gateway.id)
            continue
        ours = Payment.objects.filter(gateway=gateway.id, account=gateway.account.name, reference__in=references)
        for payment in ours.exclude(state__in=DECIDED).order_by("created_at", "pk")[:BATCH]:
            asked += 1
            try:
                _ask_about(payment)
            except GatewayUnavailable:
                logger.warning("No answer about payment %s", payment.pk)
    return asked


def _ask_about(payment: Payment) -> None:
    ask_gateway(Payment.objects.select_related("order").get(pk=payment.pk))


def retry_silent_refunds() -> int:
    """Carry out refunds whose message was lost; returns how many were tried. They are never forgotten: it is owed."""
    return _sweep(Refund.objects.filter(state=RefundState.PENDING), lambda refund: execute_refund(refund.pk))


def _sweep(rows: QuerySet[Silent], ask: Callable[[Silent], object], *, forgotten: timedelta | None = None) -> int:
    """One row after the other, so that one that breaks the sweep has had its turn and cannot hold up the next."""
    moment, end, asked = clock.now(), time.monotonic() + SWEEP_S, 0
    while asked < BATCH and time.monotonic() < end:
        row = _claim(rows, moment, forgotten)
        if row is None:
            break
        asked += 1
        try:
            ask(row)
        except (GatewayUnavailable, GatewayNotOffered):
            logger.warning("No answer about %s %s", row._meta.verbose_name, row.pk)
    return asked


@transaction.atomic
def _claim(rows: QuerySet[Silent], moment: datetime, forgotten: timedelta | None) -> Silent | None:
    """The row that has been due the longest; it goes to the back of the queue before anybody is asked.

    Rows that are being settled at this moment are skipped, and so are those of another sweep.
    """
    due = rows.select_for_update(skip_locked=True).filter(next_ask_at__lte=moment)
    row = due.order_by("next_ask_at", "pk").first()
    if row is None:
        return None
    last = forgotten is not None and moment - row.created_at >= forgotten
    row.next_ask_at = None if last else next_question(row.created_at, moment)
    row.save(update_fields=["next_ask_at"])
    return row
