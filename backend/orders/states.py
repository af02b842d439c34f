"""Where an order may go from where it is."""

from backend.orders.models import Order, OrderStatus

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


class IllegalTransition(Exception):
    """A service tried a step that the table does not have: a bug, never a shopper's mistake."""

    def __init__(self, order: Order, wanted: OrderStatus) -> None:
        super().__init__(f"Order {order.number} cannot go from {order.status} to {wanted.value}.")


def may_become(status: str, wanted: OrderStatus) -> bool:
    return wanted in TRANSITIONS[OrderStatus(status)]


def become(order: Order, wanted: OrderStatus) -> None:
    """Set a locked order's status; the caller saves it, with the event that tells of it."""
    if not may_become(order.status, wanted):
        raise IllegalTransition(order, wanted)
    order.status = wanted
