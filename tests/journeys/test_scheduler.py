"""What happens by itself: nobody asks, nobody moves the timetable along. Waits for a full minute of the real clock."""

import pytest

from tests.journeys.shop import Shop

pytestmark = pytest.mark.journey
MINUTE_S = 75
"""The timetable counts in minutes, and the workers need a moment."""


def test_the_scheduler_alone_expires_orders_and_sends_what_no_nudge_told_of(shop: Shop) -> None:
    # given an order that nobody pays, and one whose payment is told of in twenty minutes
    shop.move_clock(15 * 60 + 1)  # what other tests left unpaid gives its units back before they are counted
    variant = shop.variant()
    before = shop.quantity(variant["id"])
    unpaid, late = shop.buy(variant["id"], 2), shop.buy(variant["id"])
    shop.press(shop.start_payment(late, "WEBHOOK_LATE")["payment"], "pay")
    # when it is twenty minutes later, which no process is told
    shop.move_clock_alone(20 * 60 + 1)
    # then the timetable finds both
    assert shop.wait_for(late, seconds=MINUTE_S, status="PAID")["totals"]["refunded"]["amount"] == "0.00"
    shop.wait_for(unpaid, seconds=MINUTE_S, status="EXPIRED")
    assert shop.quantity(variant["id"]) == before - 1
