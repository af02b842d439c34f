import pytest

from backend.orders.models import Order, OrderStatus
from backend.orders.states import TRANSITIONS, IllegalTransition, become, may_become


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)


def test_every_status_can_be_reached_from_a_placed_order() -> None:
    reached = {OrderStatus.PENDING_PAYMENT}
    while more := {to for status in reached for to in TRANSITIONS[status]} - reached:
        reached |= more
    assert reached == set(OrderStatus)


def test_no_status_leads_to_itself_or_back_to_waiting_for_payment() -> None:
    assert all(status not in to and OrderStatus.PENDING_PAYMENT not in to for status, to in TRANSITIONS.items())


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("wanted", OrderStatus)
def test_an_order_becomes_what_the_table_says_and_nothing_else(status: OrderStatus, wanted: OrderStatus) -> None:
    order = Order(number="CG-1", status=status)
    if may_become(status, wanted):
        become(order, wanted)
        assert order.status == wanted
    else:
        with pytest.raises(IllegalTransition):
            become(order, wanted)
        assert order.status == status
