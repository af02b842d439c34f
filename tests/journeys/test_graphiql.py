"""The whole journey by hand in GraphiQL: each tab in turn, the payment page, and the mailbox.

`SCREENSHOTS=docs/images` keeps the pictures that the README shows.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.journeys.shop import Shop, until

pytestmark = [pytest.mark.journey, pytest.mark.browser]
TABS = 14


class Explorer:
    """GraphiQL in a browser."""

    def __init__(self, page: Page, shop: Shop) -> None:
        self.page = page
        self.strangers: list[str] = []
        page.on("request", lambda request: self._note(request, shop))
        page.goto(f"{shop.url}/graphql")
        expect(page.locator("button.graphiql-tab-button")).to_have_count(TABS)

    def _note(self, request: Request, shop: Shop) -> None:
        if not request.url.startswith((shop.url, "data:", "blob:", shop.url.replace("http", "ws"))):
            self.strangers.append(request.url)

    def open(self, number: int) -> None:
        """Show a tab."""
        self.page.locator("button.graphiql-tab-button").nth(number - 1).click()
        self._wait_until_read()

    def write(self, query: str) -> None:
        """Replace what stands in the tab."""
        self.page.evaluate(
            "text => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue(text)", query
        )
        self._wait_until_read()

    def _wait_until_read(self) -> None:
        """GraphiQL takes a moment to know which operation stands there, and would send the name of the last one."""
        self.page.wait_for_function(
            """() => {
                const editor = document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror;
                const name = editor.operations?.[0]?.name?.value;
                return name && editor.getValue().includes(` ${name}`) && editor.operationName === name;
            }"""
        )

    def press_run(self) -> None:
        self.page.locator("button.graphiql-execute-button").click()

    def response(self) -> str:
        return str(self.page.evaluate("document.querySelector('.graphiql-response .CodeMirror').CodeMirror.getValue()"))

    def run(self, number: int) -> dict[str, Any]:
        """Send a tab; its data. Errors fail the test."""
        self.open(number)
        self.press_run()

        def answered() -> Any:
            try:
                return json.loads(self.response())
            except ValueError:
                return None

        answer: dict[str, Any] = until(answered, what=f"the answer of tab {number}")
        assert "errors" not in answer, answer
        for payload in answer["data"].values():
            assert not (isinstance(payload, dict) and payload.get("userErrors")), payload
        return dict(answer["data"])


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_the_journey_by_hand(shop: Shop, page: Page) -> None:
    page.set_viewport_size({"width": 1360, "height": 820})
    graphiql = Explorer(page, shop)
    assert graphiql.run(1)["shop"]["paymentGateways"]
    assert graphiql.run(2)["categories"]["nodes"]
    assert graphiql.run(3)["products"]["nodes"]
    keep(page, "graphiql")
    assert graphiql.run(4)["product"]["variants"][0]["price"]["formatted"].endswith("€")
    assert graphiql.run(5)["cartCreate"]["cart"]["itemCount"] == 1
    assert graphiql.run(6)["cartAddressesUpdate"]["cart"]["shippingAddress"]["city"] == "Springfield"
    placed = graphiql.run(7)["orderPlace"]
    assert placed["order"]["status"] == "PENDING_PAYMENT"
    assert graphiql.run(7)["orderPlace"]["replayed"] is True

    graphiql.open(8)
    graphiql.press_run()
    until(lambda: "PLACED" in graphiql.response(), what="the first event")
    graphiql.open(9)
    watching = page.context.new_page()
    started = _start(graphiql)
    watching.goto(started["payment"]["nextAction"]["url"])
    expect(watching.get_by_test_id("amount")).to_have_text(placed["order"]["totals"]["total"]["formatted"])
    watching.set_viewport_size({"width": 900, "height": 820})
    keep(watching, "payment")
    watching.get_by_role("button", name="Pay").click()
    watching.wait_for_url("**/graphql**")

    shop.wait_for(placed["order"], status="PAID", paymentStatus="PAID")
    assert graphiql.run(10)["paymentVerify"]["payment"]["status"] == "SUCCEEDED"
    assert graphiql.run(11)["order"]["status"] == "PAID"
    graphiql.open(8)
    graphiql.press_run()
    until(lambda: '"PAID"' in graphiql.response(), what="the event of the payment")

    def arrived() -> bool:
        watching.goto(f"{shop.url}/dev/mail/")
        return watching.get_by_text(placed["order"]["number"]).count() > 0

    until(arrived, what="the confirmation")
    watching.get_by_role("link", name=placed["order"]["number"]).first.click()
    expect(watching.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    keep(watching, "mail")
    assert graphiql.strangers == []


def _start(graphiql: Explorer) -> dict[str, Any]:
    payload = graphiql.run(9)["paymentStart"]
    assert payload["payment"]["nextAction"]["url"]
    return dict(payload)


def test_the_docs_and_the_explorer_open(shop: Shop, page: Page) -> None:
    graphiql = Explorer(page, shop)
    page.get_by_role("button", name="Show Documentation Explorer").click()
    expect(page.get_by_text("A GraphQL schema provides a root type")).to_be_visible()
    page.get_by_role("button", name="Show GraphiQL Explorer").click()
    expect(page.locator(".docExplorerWrap, .graphiql-explorer-root").first).to_be_visible()
    page.get_by_role("tab", name="Headers").or_(page.get_by_role("button", name="Headers")).first.click()
    assert graphiql.strangers == []


def test_headers_of_their_tab_are_sent_with_requests_and_with_subscriptions(shop: Shop, page: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    graphiql = Explorer(page, shop)
    graphiql.open(1)
    page.get_by_role("button", name="Headers").click()
    page.locator("[aria-label=Headers] .graphiql-editor:not(.hidden) > .CodeMirror").click()
    page.keyboard.insert_text('{"X-Typed-By": "hand"}')
    with page.expect_request(lambda request: request.method == "POST") as asked:
        graphiql.press_run()
    assert asked.value.headers["x-typed-by"] == "hand"
    until(lambda: '"shop"' in graphiql.response(), what="the answer")

    query = f"""subscription Watch {{ orderEvents(orderId: "{order["id"]}", token: "{order["token"]}") {{ type }} }}"""
    graphiql.write(query)
    graphiql.press_run()
    until(lambda: "PLACED" in graphiql.response(), what="the first event")
    [begun] = [frame for frame in sent if "connection_init" in frame]
    assert json.loads(begun)["payload"] == {"X-Typed-By": "hand"}


def test_who_signs_in_is_signed_in_in_every_tab_until_they_sign_out(shop: Shop, page: Page) -> None:
    graphiql = Explorer(page, shop)
    assert graphiql.run(12)["tokenCreate"]["user"]["email"] == "customer@example.com"
    assert graphiql.run(13)["viewer"]["sessions"][0]["current"] is True
    kept = "JSON.parse(sessionStorage.getItem('cartograph:session'))"
    page.evaluate(f"sessionStorage.setItem('cartograph:session', JSON.stringify({{ ...{kept}, accessToken: 'gone' }}))")
    assert graphiql.run(13)["viewer"]["email"] == "customer@example.com", "it was renewed"
    assert graphiql.run(14)["tokenRevoke"]["revoked"] is True
    assert page.evaluate(kept) is None
    graphiql.open(13)
    graphiql.press_run()
    until(lambda: "UNAUTHENTICATED" in graphiql.response(), what="the refusal")


def test_the_admin_signs_in_and_shows_orders(shop: Shop, page: Page) -> None:
    order = shop.buy(shop.variant()["id"])
    page.goto(f"{shop.url}/admin/")
    page.get_by_label("Email").fill("admin@example.com")
    page.locator("input[type=password]").fill("cartograph-demo")
    page.locator("button[type=submit], input[type=submit]").first.click()
    page.goto(f"{shop.url}/admin/orders/order/")
    expect(page.get_by_text(order["number"]).first).to_be_visible()
    keep(page, "admin")
