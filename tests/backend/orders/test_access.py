from uuid import uuid4

import pytest

from backend.accounts.models import User
from backend.core.caller import GUEST, Caller
from backend.orders.errors import OrderNotFound
from backend.orders.queries import events_after, lines_by_order, own_orders_by_id
from backend.orders.services import access_order, lock_order
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order, make_paid_order

pytestmark = pytest.mark.django_db


def test_a_guest_reaches_an_order_by_its_token() -> None:
    order = make_order()
    assert access_order(caller=GUEST, order_id=order.pk, token=order.token) == order


def test_wrong_tokens_and_unknown_orders_look_the_same() -> None:
    order, other = make_order(), make_order()
    answers = set()
    for order_id, token in [
        (order.pk, None),
        (order.pk, ""),
        (order.pk, "wrong"),
        (order.pk, other.token),
        (order.pk, order.token[:-1]),
        (order.pk, "\x00\U0001f600\ud800"),
        (uuid4(), order.token),
        (uuid4(), None),
    ]:
        with pytest.raises(OrderNotFound) as refusal:
            access_order(caller=GUEST, order_id=order_id, token=token)
        answers.add((refusal.value.code, refusal.value.message, tuple(refusal.value.field)))
    assert len(answers) == 1


def test_a_customer_reaches_own_orders_without_a_token_and_no_others() -> None:
    owner, stranger = (Caller(User.objects.create_user(f"{name}@example.com").pk) for name in ("owner", "stranger"))
    order = make_order(caller=owner)
    assert access_order(caller=owner, order_id=order.pk, token=None) == order
    for caller in (stranger, GUEST):
        with pytest.raises(OrderNotFound):
            access_order(caller=caller, order_id=order.pk, token=None)
    assert access_order(caller=stranger, order_id=order.pk, token=order.token) == order
    assert own_orders_by_id([order.pk], caller=owner) == {order.pk: order}
    assert own_orders_by_id([order.pk], caller=stranger) == own_orders_by_id([order.pk], caller=GUEST) == {}


def test_an_unknown_order_cannot_be_locked() -> None:
    with pytest.raises(OrderNotFound):
        lock_order(uuid4())


@pytest.mark.parametrize("count", [1, 20])
def test_lines_of_many_orders_are_read_in_one_statement(count: int, django_assert_num_queries: object) -> None:
    variants = [make_variant(stock=50) for _ in range(3)]
    orders = [make_order(*[(each, 1) for each in variants]) for _ in range(count)]
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = lines_by_order([order.pk for order in orders])
        skus = [[line.variant.product.slug and line.sku for line in found[order.pk]] for order in orders]
    assert skus == [[each.sku for each in variants]] * count


def test_events_are_read_after_a_sequence() -> None:
    order = make_paid_order()
    assert [event.type for event in events_after(order.pk, 0)] == ["PLACED", "PAID"]
    assert [event.type for event in events_after(order.pk, 1)] == ["PAID"]
    assert events_after(order.pk, 2) == []
    assert len(events_after(order.pk, 0, limit=1)) == 1
