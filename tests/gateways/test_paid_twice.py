"""A buyer who goes back and pays once more on the same page: the order is paid once, and staff hear of the rest."""

import pytest

from backend.orders.models import Order
from backend.payments.models import Payment, PaymentTransaction
from tests.gateways.harness import Harness
from tests.gateways.shop import begin, deliver_all, hear, order_for
from tests.gateways.telling import assert_unpaid

pytestmark = pytest.mark.django_db
TAKE_TWICE = ("sslcommerz", "paymob")
"""Whose pages take money for what was paid already; the others' have one sum for each payment."""


def flags(payment: Payment) -> list[str]:
    told = Order.objects.get(pk=payment.order_id).events.filter(type="PAYMENT_FLAGGED").order_by("sequence")
    return list(told.values_list("message", flat=True))


def test_a_second_payment_on_the_same_page_is_noticed_and_never_counts(harness: Harness) -> None:
    payment = begin(order_for(harness), harness.gateway)
    assert_unpaid(payment, "REQUIRES_ACTION")
    harness.pay(payment)
    hear(harness, payment)
    if harness.gateway not in TAKE_TWICE:
        assert flags(payment) == []
        return
    for _ in range(2):
        harness.pay(payment)
        assert set(deliver_all(harness, payment)) == {200}
    order = Order.objects.get()
    assert (order.paid, order.refunded, order.status) == (harness.total, 0, "PAID")
    assert PaymentTransaction.objects.filter(kind="CAPTURE").count() == 1
    assert [text.partition(":")[0] for text in flags(payment)] == ["The buyer seems to have paid twice at once"] * 2
    payment.refresh_from_db()
    assert payment.state == "SUCCEEDED"


def test_it_is_told_once_however_often_it_is_heard(harness: Harness) -> None:
    if harness.gateway not in TAKE_TWICE:
        return
    payment = begin(order_for(harness), harness.gateway)
    harness.pay(payment)
    hear(harness, payment)
    harness.pay(payment)
    deliver_all(harness, payment)
    hear(harness, payment)
    assert len(flags(payment)) == 1
