"""Payments of placed orders, pressed at the sandbox and reported by messages that wait for the worker."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import psutil

from bench.processes import ever_spent_seconds

POLL_S = 0.02
PATIENCE_S = 180
UNITS = 1_000_000
LINES = 3


@dataclass(frozen=True, slots=True)
class Settled:
    """How long it took from the commit of the messages until every order was paid, and had its mail."""

    payments: int
    paid_s: float
    mailed_s: float
    worker_cpu_s: float
    database_cpu_s: float


def prepare_payments(count: int) -> list[UUID]:
    """Placed orders of three lines, each with a payment whose buyer has pressed Pay; nobody has told the shop."""
    from backend.carts.checking import NewLine
    from backend.catalog.models import ProductVariant
    from backend.core.addresses import Address
    from backend.core.caller import GUEST
    from backend.core.context import default_context
    from backend.inventory.services import default_location, set_on_hand
    from backend.orders.services import PlaceOrder, place_order
    from backend.payments.models import SandboxCharge
    from backend.payments.sandbox import charges
    from backend.payments.services import start_payment
    from backend.payments.services.starting import StartPayment

    shop = default_context()
    sold = ProductVariant.objects.filter(prices__currency=shop.currency, product__status="ACTIVE").distinct()
    variants = list(sold.order_by("pk").values_list("pk", flat=True)[:600])
    set_on_hand(quantities=dict.fromkeys(variants, UNITS), location=default_location(), reason="bench")
    chosen = itertools.cycle(variants)
    address = Address(
        first_name="Ada", last_name="Byron", line1="1 Main St", city="Springfield", region="IL",
        postal_code="62701", country="US",
    )  # fmt: skip
    made = []
    for _ in range(count):
        request = PlaceOrder(
            idempotency_key=str(uuid4()),
            lines=[NewLine(next(chosen), 1) for _ in range(LINES)],
            email="ada@example.com",
            shipping_address=address,
        )
        order = place_order(caller=GUEST, shop=shop, request=request).order
        start = StartPayment(
            order.pk, order.token, "sandbox", "http://localhost/thanks", str(uuid4()), "WEBHOOK_MISSING"
        )
        payment = start_payment(caller=GUEST, request=start).payment
        charges.press(SandboxCharge.objects.get(merchant_reference=str(payment.pk)).pk, "pay")
        made.append(payment.pk)
    return made


def report(payments: list[UUID]) -> None:
    """Store and announce an authentic message for each payment, in one transaction, which starts the worker."""
    from django.db import transaction

    from backend.core import clock, outbox
    from backend.payments.models import SandboxCharge, WebhookMessage, WebhookState
    from backend.payments.sandbox import charges
    from backend.payments.sandbox.scenarios import Delivery

    references = [str(each) for each in payments]
    moment = clock.now()
    rows = []
    for charge in SandboxCharge.objects.filter(merchant_reference__in=references):
        event_id = f"evt_{charge.pk}"
        body = charges.message(charge, Delivery(event_id=event_id, state=charge.state))
        rows.append(
            WebhookMessage(
                gateway="sandbox", event_id=event_id, body=body, state=WebhookState.VERIFIED, received_at=moment
            )
        )
    with transaction.atomic():
        made = WebhookMessage.objects.bulk_create(rows)
        outbox.emit_many("webhook.received", [(str(row.pk), {}) for row in made])


def settle(payments: list[UUID], process: psutil.Process, database: psutil.Process | None) -> Settled:
    """Report all payments at once and wait until the worker has done all that follows."""
    from backend.notifications.models import SentEmail
    from backend.orders.models import Order, OrderStatus

    mails = SentEmail.objects.count()
    before, database_before = ever_spent_seconds(process), ever_spent_seconds(database) if database else 0.0
    report(payments)
    began = time.perf_counter()
    orders = Order.objects.filter(payments__in=payments, status=OrderStatus.PAID)
    paid_s = _until(lambda: orders.count() == len(payments), began)
    mailed_s = _until(lambda: SentEmail.objects.count() - mails >= len(payments), began)
    return Settled(
        payments=len(payments),
        paid_s=paid_s,
        mailed_s=mailed_s,
        worker_cpu_s=ever_spent_seconds(process) - before,
        database_cpu_s=ever_spent_seconds(database) - database_before if database else 0.0,
    )


def quiet() -> None:
    """Nothing waits for the worker from whatever ran before."""
    from django_redis import get_redis_connection

    from backend.core import clock
    from backend.core.models import OutboxEvent
    from workers.broker import broker
    from workers.outbox_relay import NUDGED

    OutboxEvent.objects.filter(relayed_at__isnull=True).update(relayed_at=clock.now())
    broker.flush_all()
    get_redis_connection("default").delete(NUDGED)  # the message that it stands for is gone too


def _until(done: Callable[[], bool], began: float) -> float:
    while not done():
        if time.perf_counter() - began > PATIENCE_S:
            raise RuntimeError("the worker did not settle the payments in time")
        time.sleep(POLL_S)
    return time.perf_counter() - began
