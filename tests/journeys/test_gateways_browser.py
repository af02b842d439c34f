"""Buyers on each gateway's page, in headless Chromium: they change their mind, are declined, pay, and get it back.

The pages are those of the doubles of `GATEWAY_DOUBLES=1 make run`. What stands for Stripe.js is a page of the double
too: the real one needs the internet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.gateways.fakes import localstripe
from tests.journeys.high_street import Street, running_street
from tests.journeys.pictures import keep
from tests.journeys.shop import until

pytestmark = [pytest.mark.journey, pytest.mark.browser]
DECLINED = ("FAILED", "CARD_DECLINED")
MINDED = ("REQUIRES_ACTION", None)
"""Nobody has told that the buyer went away: the payment stays open."""


@dataclass(frozen=True)
class Way:
    """How buyers pay at one gateway: its buttons, and what the payment is after each."""

    name: str
    currency: str
    country: str
    pay: str
    decline: str
    away: str
    after_decline: tuple[str, str | None] = DECLINED
    after_away: tuple[str, str | None] = MINDED

    @property
    def gateway(self) -> str:
        return "stripe" if self.name == "elements" else self.name

    def shown(self, total: dict[str, str]) -> str:
        return total["formatted"] if self.name == "sandbox" else f"{total['amount']} {self.currency}"


STRIPE = {
    "pay": "Pay",
    "decline": "Pay with a card that is declined",
    "away": "Go back",
    "after_decline": ("REQUIRES_ACTION", "CARD_DECLINED"),
}
WAYS = [
    Way("sandbox", "USD", "US", "Pay ", "Decline", "Close", after_away=("CANCELLED", "ABANDONED")),
    Way("paypal", "USD", "DE", "Pay", "Pay with a card that is declined", "Cancel and go back"),
    Way("paymob", "EGP", "EG", "Pay", "Decline", "Pay later", ("REQUIRES_ACTION", "INSUFFICIENT_FUNDS")),
    Way("sslcommerz", "BDT", "BD", "Success", "Fail", "Cancel", after_away=("CANCELLED", "ABANDONED")),
    Way("zarinpal", "IRR", "IR", "Pay", "Decline", "Cancel", after_away=("REQUIRES_ACTION", "ABANDONED")),
    Way("stripe", "USD", "DE", **STRIPE),  # type: ignore[arg-type]
    Way("elements", "EUR", "DE", **STRIPE | {"pay": "Pay with a card that asks to authenticate"}),  # type: ignore[arg-type]
]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with running_street(tmp_path_factory.mktemp("street")) as running:
        yield running


def visit(page: Page, street: Street, way: Way, order: dict[str, Any]) -> dict[str, Any]:
    """Start a payment and open its page."""
    payment = street.start(order, way.gateway)
    action = payment["nextAction"]
    page.goto(action["url"] if "url" in action else elements_page(street, action))
    expect(page.get_by_text(way.shown(order["totals"]["total"]), exact=True)).to_be_visible()
    return payment


def elements_page(street: Street, action: dict[str, Any]) -> str:
    """Where the double lets somebody pay who has but a client secret, and no Stripe.js."""
    assert action["publishableKey"] == "pk_test_double"
    intent = action["clientSecret"].partition("_secret_")[0]
    query = {"client_secret": action["clientSecret"], "return_url": street.storefront}
    return f"{street.doubles['Stripe']}/c/pay/{intent}?{urlencode(query)}"


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=not label.endswith(" ")).click()


def come_back(page: Page, street: Street, payment: dict[str, Any], order: dict[str, Any]) -> None:
    """The storefront gets what it asks the API with, and asks; to Stripe.js it told the address itself."""
    expect(page.get_by_role("heading")).to_have_text("The storefront")
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    assert query["from"] == "test"
    if "url" in payment["nextAction"]:
        assert (query["payment"], query["order"]) == (payment["id"], order["id"])
        assert query["status"] in ("succeeded", "failed", "cancelled", "processing", "open")
    assert street.verify(payment, order)["id"] == payment["id"]


def payment_is(street: Street, order: dict[str, Any], payment: dict[str, Any], wanted: tuple[str, str | None]) -> None:
    told = {"id": payment["id"], "status": wanted[0], "errorCode": wanted[1]}

    def seen() -> list[dict[str, Any]]:
        return list(street.shop.order(order)["payments"])

    until(lambda: told in seen(), seconds=10, what=f"{told} among {seen()}")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_buyer_goes_away_is_declined_pays_and_gets_the_money_back(street: Street, page: Page, way: Way) -> None:
    if way.gateway == "stripe" and (why := localstripe.missing()):
        pytest.skip(why)
    assert {"sandbox", way.gateway} <= street.gateways(way.currency, way.country)
    order = street.buy(way.currency, way.country)

    left = visit(page, street, way, order)
    keep(page, f"{way.name}-page")
    press(page, way.away)
    come_back(page, street, left, order)
    payment_is(street, order, left, way.after_away)

    declined = visit(page, street, way, order)
    press(page, way.decline)
    if way.gateway == "stripe":
        expect(page.get_by_text("Your card was declined.")).to_be_visible()
        keep(page, f"{way.name}-declined")
        press(page, "Go back")
    come_back(page, street, declined, order)
    payment_is(street, order, declined, way.after_decline)
    assert street.shop.order(order)["status"] == "PENDING_PAYMENT"

    paying = visit(page, street, way, order)
    press(page, way.pay)
    come_back(page, street, paying, order)
    keep(page, f"{way.name}-back")
    paid = street.shop.wait_for(order, status="PAID")
    payment_is(street, order, paying, ("SUCCEEDED", None))
    assert not Decimal(paid["totals"]["due"]["amount"])

    street.refund(order)

    def is_back() -> bool:
        if way.name == "sslcommerz":  # it takes days, and is asked about
            street.shop.move_clock(600)
        return bool(street.shop.order(order)["paymentStatus"] == "REFUNDED")

    until(is_back, what="the money back")
