"""The pages in headless Chromium."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.shop import Shop, until

pytestmark = [pytest.mark.journey, pytest.mark.browser]


def test_the_payment_page_shows_the_amount_and_pays(shop: Shop, page: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    payment = shop.start_payment(order)["payment"]
    page.route("http://localhost/thanks**", lambda route: route.fulfill(body="thanks"))
    page.goto(payment["nextAction"]["url"])
    expect(page.get_by_test_id("amount")).to_have_text(f"${order['totals']['total']['amount']}")
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("http://localhost/thanks**")
    assert "status=succeeded" in page.url
    shop.wait_for(order, status="PAID")
    page.goto(payment["nextAction"]["url"])
    expect(page.get_by_test_id("state")).to_have_text("Paid.")


def test_authentication_is_a_step_of_its_own_where_it_is_scripted(shop: Shop, page: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    payment = shop.start_payment(order, "AUTHENTICATE")["payment"]
    page.route("http://localhost/thanks**", lambda route: route.fulfill(body="thanks"))
    page.goto(payment["nextAction"]["url"])
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("button", name="Authenticate").click()
    page.wait_for_url("http://localhost/thanks**")
    shop.wait_for(order, status="PAID")


def test_the_mailbox_lists_what_was_sent(shop: Shop, page: Page) -> None:
    order = shop.buy(shop.variant()["id"], email="mailbox@example.com")
    shop.press(shop.start_payment(order)["payment"], "pay")
    shop.wait_for(order, status="PAID")

    def arrived() -> bool:
        page.goto(f"{shop.url}/dev/mail/")
        return page.get_by_text(order["number"]).count() > 0

    until(arrived, what="the mail in the mailbox")
    page.get_by_role("link", name=order["number"]).first.click()
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Thank you for your order")
