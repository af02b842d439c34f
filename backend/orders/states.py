"""Where an order may go from where it is."""

from backend.orders.models import OrderStatus

S = OrderStatus
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PENDING_PAYMENT: frozenset({S.PAID, S.CANCELLED, S.EXPIRED}),
    S.PAID: frozenset({S.PROCESSING, S.SHIPPED, S.DELIVERED, S.CANCELLED}),
    S.PROCESSING: frozenset({S.SHIPPED, S.DELIVERED, S.CANCELLED}),
    S.SHIPPED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
    # Money that comes late finds the units again, or goes back.
    S.EXPIRED: frozenset({S.PAID}),
}


def may_become(status: str, wanted: OrderStatus) -> bool:
    return wanted in TRANSITIONS[OrderStatus(status)]
