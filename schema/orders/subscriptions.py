"""Watching an order: everything that happened, then everything that happens."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
import strawberry_django
from strawberry.types import Info

from backend.core.errors import Invalid
from backend.orders import models, queries
from backend.orders.services import access_order
from schema.engine import ColumnField, computed
from schema.orders.types import Order
from schema.server.db import db
from schema.server.enums import describe_enum
from schema.server.ids import decode_uuid
from schema.server.pubsub import pubsub

POLL_S = 10.0
"""A wake-up that got lost delays an event by this much, at most."""

OrderEventType = strawberry.enum(models.OrderEventType, name="OrderEventType", description="What happened to an order.")
describe_enum(
    models.OrderEventType,
    {
        "PLACED": "It was placed, and its stock is held.",
        "PAYMENT_STARTED": "A payment was begun.",
        "PAYMENT_FAILED": "A payment failed; another may be made.",
        "PAYMENT_AUTHORIZED": "Money was set aside.",
        "PAID": "It is paid in full.",
        "EXPIRED": "It was not paid in time.",
        "CANCELLED": "It was called off.",
        "REFUNDED": "Money went back.",
        "PAYMENT_FLAGGED": "A payment does not fit; staff will look at it.",
    },
)


@strawberry_django.type(
    models.OrderEvent, name="OrderEvent", field_cls=ColumnField, description="One thing that happened to an order."
)
class OrderEvent:
    sequence: int = strawberry.field(description="1 for the order's first event, and so on, without holes.")
    type: models.OrderEventType = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When it happened, in UTC.")
    message: str = strawberry.field(description="What happened, as a sentence in English.")

    @computed(description="Send it as `after` to go on behind this event.")
    def cursor(event: Any) -> str:
        return encode_cursor(event.sequence)

    @computed(description="The order as it is now.")
    def order(event: Any) -> Order:
        return event.order  # type: ignore[no-any-return]


def encode_cursor(sequence: int) -> str:
    return base64.urlsafe_b64encode(f"event:{sequence}".encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> int:
    """Raises Invalid for anything but a cursor of an event."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        kind, _, number = text.partition(":")
        if kind != "event" or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise ValueError(cursor)
        return int(number)
    except ValueError as error:
        raise Invalid("This is not a cursor of an event.", field=["after"]) from error


@strawberry.type
class OrderSubscription:
    @strawberry.subscription(
        description="An order's events: those after the cursor at once (all without one), then each as it happens. "
        "Nothing is lost when the line breaks: subscribe again with the last cursor."
    )
    async def order_events(
        self,
        info: Info,
        order_id: Annotated[strawberry.ID, strawberry.argument(description="The order's id.")],
        token: Annotated[str | None, strawberry.argument(description="The order's token, for guests.")] = None,
        after: Annotated[str | None, strawberry.argument(description="The cursor of the last event you saw.")] = None,
    ) -> AsyncGenerator[OrderEvent, None]:
        pk = decode_uuid(order_id, "Order", field=["orderId"])
        sequence = 0 if after is None else decode_cursor(after)
        await db(access_order, caller=info.context.caller, order_id=pk, token=token)
        async for event in follow(pk, sequence):
            yield event


async def follow(order_id: UUID, sequence: int) -> AsyncGenerator[Any, None]:
    """Events beyond `sequence`, read from PostgreSQL; Redis only says when to look again."""
    async with pubsub().subscribe(f"order:{order_id}") as woken:
        while True:
            woken.clear()
            for event in await db(look, order_id, sequence):
                sequence = event.sequence
                yield event
            if not woken.is_set():
                await _wait(woken)


def look(order_id: UUID, sequence: int) -> list[models.OrderEvent]:
    """The events beyond `sequence`, each with the order. Each is an answer of its own, and would read it for itself.

    The order is read after them, so it is never older than what they tell.
    """
    events = queries.events_after(order_id, sequence)
    if events:
        order = queries.orders_by_id([order_id])[order_id]
        for event in events:
            event.order = order
    return events


async def _wait(woken: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(woken.wait(), POLL_S)
    except TimeoutError:
        return
