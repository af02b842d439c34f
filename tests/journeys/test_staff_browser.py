"""What staff see of payments, in headless Chromium: the time line, a decision, a replay, a dispute."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.pictures import keep
from tests.journeys.shop import STAFF, Shop, until

pytestmark = [pytest.mark.journey, pytest.mark.browser]


@pytest.fixture
def staff(shop: Shop, page: Page) -> Page:
    """Signed in by the form, as people are."""
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"{shop.url}/admin/")
    page.locator("input[name=username]").fill(STAFF["username"])
    page.locator("input[name=password]").fill(STAFF["password"])
    page.locator("button[type=submit]").first.click()
    page.wait_for_url(f"{shop.url}/admin/")
    return page


def open_payment(page: Page, shop: Shop, order: dict[str, Any], state: str) -> None:
    """From the list, as soon as the worker has brought the payment there."""

    def listed() -> bool:
        page.goto(f"{shop.url}/admin/payments/payment/?state__exact={state}&q={order['number']}")
        return page.locator("#result_list a[href*='/payment/']").count() > 0

    until(listed, what=f"the payment among those that are {state}")
    page.locator("#result_list a[href*='/payment/']").first.click()


def test_staff_follow_a_payment_and_replay_its_message(shop: Shop, staff: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    shop.pay(order)
    shop.wait_for(order, status="PAID")
    open_payment(staff, shop, order, "SUCCEEDED")
    line = staff.get_by_role("row", name="The gateway took the money.")
    expect(line).to_contain_text("REQUIRES_ACTION → SUCCEEDED")
    keep(staff, "payment-timeline")
    staff.goto(f"{shop.url}/admin/payments/webhookmessage/?state__exact=PROCESSED")
    staff.locator("#result_list tbody input[type=checkbox]").first.check()
    staff.locator("select[name=action]").select_option(label="Settle once more")
    staff.get_by_role("button", name="Run").click()
    expect(staff.get_by_text("goes to the worker once more.")).to_be_visible()
    keep(staff, "webhook-replayed")
    assert shop.order(order)["status"] == "PAID"


def test_staff_decide_a_payment_that_does_not_fit(shop: Shop, staff: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    shop.press(shop.start_payment(order, "WRONG_AMOUNT")["payment"], "pay")
    open_payment(staff, shop, order, "FLAGGED")
    expect(staff.get_by_role("row", name="The gateway reported").first).to_be_visible()
    keep(staff, "payment-flagged")
    staff.get_by_role("link", name="Decide about this payment").click()
    staff.locator("[name=reason]").fill("Counted by hand: it is ours.")
    keep(staff, "payment-decide")
    staff.get_by_role("button", name="The money counts for the order").click()
    expect(staff.get_by_text("Done.")).to_be_visible()
    keep(staff, "payment-decided")
    shop.wait_for(order, status="PAID")


def test_staff_see_disputes(shop: Shop, staff: Page) -> None:
    """A bank takes the money back two seconds after it was paid, and decides against the shop later."""
    order = shop.buy(shop.variant()["id"])
    shop.press(shop.start_payment(order, "DISPUTE_LOST")["payment"], "pay")
    shop.wait_for(order, status="PAID")

    def listed(state: str) -> bool:
        staff.goto(f"{shop.url}/admin/payments/dispute/?state__exact={state}")
        return staff.locator("#result_list a[href*='/dispute/']").count() > 0

    until(lambda: listed("OPEN"), what="the open dispute")
    keep(staff, "dispute-open")
    shop.move_clock(600)
    until(lambda: listed("LOST"), what="the lost dispute")
    open_payment(staff, shop, order, "SUCCEEDED")
    expect(staff.get_by_text("CHARGEBACK").first).to_be_visible()
    keep(staff, "dispute-lost")
