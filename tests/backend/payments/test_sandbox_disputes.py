"""Disputes that the sandbox plays, for staff and storefronts to see."""

import pytest

from backend.payments.models import Dispute
from backend.payments.timeline import timeline_of
from tests.factories.orders import make_order
from tests.factories.payments import due_deliveries, press, send, settle_webhooks, start

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("scenario", "end", "kinds"),
    [
        ("DISPUTE_WON", "WON", ["CAPTURE", "CHARGEBACK", "CHARGEBACK_REVERSAL"]),
        ("DISPUTE_LOST", "LOST", ["CAPTURE", "CHARGEBACK"]),
    ],
)
def test_a_dispute_is_opened_and_decided(scenario: str, end: str, kinds: list[str]) -> None:
    payment = start(make_order(), scenario=scenario)
    press(payment)
    paid, disputed, over = due_deliveries(payment)
    for delivery in (paid, disputed, disputed):
        assert send(payment, delivery) == 200
        settle_webhooks()
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.amount, dispute.reason) == ("OPEN", payment.amount, "fraudulent")
    assert dispute.respond_by is not None
    assert disputed.delay_s < over.delay_s
    send(payment, over)
    settle_webhooks()
    dispute.refresh_from_db()
    assert dispute.state == end
    assert list(payment.transactions.order_by("pk").values_list("kind", flat=True)) == kinds
    payment.refresh_from_db()
    assert payment.state == "SUCCEEDED"
    told = [moment.what.partition(": ")[2] for moment in timeline_of(payment) if moment.kind == "DISPUTE"]
    assert told == ["OPEN", end]


def test_who_is_declined_disputes_nothing() -> None:
    payment = start(make_order(), scenario="DISPUTE_LOST")
    press(payment, "decline")
    assert [delivery.dispute for delivery in due_deliveries(payment)] == [""]
