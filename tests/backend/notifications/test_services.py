"""The order confirmation."""

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest

from backend.catalog.models import Product
from backend.core import clock
from backend.core.addresses import Address
from backend.core.ids import parse
from backend.notifications.services import send_order_confirmation
from tests.factories.catalog import make_product, make_variant
from tests.factories.orders import make_paid_order

pytestmark = pytest.mark.django_db


def test_the_confirmation_names_number_lines_total_and_address(mailoutbox: list[Any]) -> None:
    product = make_product("Walnut chair", prices={"USD": 123450})
    order = make_paid_order((product.variants.get(), 2), email="ada@example.com")
    assert send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    [mail] = mailoutbox
    assert mail.to == ["ada@example.com"]
    assert order.number in mail.subject
    [(html, kind)] = [(part.content, part.mimetype) for part in mail.alternatives]
    assert kind == "text/html"
    for text in (mail.body, html):
        assert "Walnut chair" in text
        assert "$2,469.00" in text
        assert order.number in text


def test_the_same_event_sends_one_mail(mailoutbox: list[Any]) -> None:
    order, event = make_paid_order(), uuid4()
    assert [send_order_confirmation(event_id=event, order_id=order.pk) for _ in range(3)] == [True, False, False]
    assert len(mailoutbox) == 1


def test_it_speaks_the_orders_language(mailoutbox: list[Any]) -> None:
    order = make_paid_order()
    order.language = "de"
    order.save()
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    assert "Bestellung" in mailoutbox[0].subject
    assert "Gesamt: 10,00" in mailoutbox[0].body


def test_what_buyers_and_products_are_called_is_text_and_never_markup(mailoutbox: list[Any]) -> None:
    product = make_product("<script>alert(1)</script>")
    address = Address(first_name="<b>Ada", last_name="B", line1="1 Main St", city="S", country="IE")
    order = make_paid_order((product.variants.get(), 1), shipping_address=address)
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    html = mailoutbox[0].alternatives[0].content
    assert "<script>" not in html
    assert "<b>Ada" not in html
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, ["Ada Byron", "1 Main St", "Springfield", "IE"]),
        ({"postal_code": "D02 AF30"}, ["Ada Byron", "1 Main St", "D02 AF30 Springfield", "IE"]),
        (
            {"company": "Engines", "line2": "2nd floor", "region": "Dublin", "postal_code": "D02 AF30"},
            ["Ada Byron", "Engines", "1 Main St", "2nd floor", "D02 AF30 Springfield", "Dublin", "IE"],
        ),
    ],
)
def test_the_address_has_what_was_given_and_no_gaps(
    mailoutbox: list[Any], given: dict[str, str], shown: list[str]
) -> None:
    address = Address(
        first_name="Ada",
        last_name="Byron",
        line1="1 Main St",
        city="Springfield",
        country="IE",
        **given,
    )
    send_order_confirmation(event_id=uuid4(), order_id=make_paid_order(shipping_address=address).pk)
    [mail] = mailoutbox
    assert "It goes to:\n" + "\n".join(shown) + "\n\n" in mail.body
    assert "<br>\n  ".join(shown) + "</p>" in mail.alternatives[0].content
    assert "> Springfield" not in mail.alternatives[0].content


def test_what_is_not_shipped_goes_nowhere(mailoutbox: list[Any]) -> None:
    order = make_paid_order((make_variant(requires_shipping=False), 1), shipping_address=None)
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    assert "It goes to" not in mailoutbox[0].body + mailoutbox[0].alternatives[0].content


def test_a_mail_is_dated_by_the_shops_clock(mailoutbox: list[Any]) -> None:
    clock.move_offset(30 * 24 * 60 * 60)
    send_order_confirmation(event_id=uuid4(), order_id=make_paid_order().pk)
    dated = parsedate_to_datetime(mailoutbox[0].message()["Date"])
    assert abs(dated - clock.now()) < timedelta(minutes=1)


def test_a_mail_that_cannot_be_sent_is_tried_again(mailoutbox: list[Any], monkeypatch: Any) -> None:
    order, event = make_paid_order(), uuid4()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("the mail server is away")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
        with pytest.raises(OSError, match="away"):
            send_order_confirmation(event_id=event, order_id=order.pk)
    assert send_order_confirmation(event_id=event, order_id=order.pk)
    assert len(mailoutbox) == 1


def test_a_link_is_sent_where_the_shop_has_told_its_address(mailoutbox: list[Any], settings: Any) -> None:
    settings.STOREFRONT_ORDER_URL = "https://shop.example/orders/{number}?id={id}&token={token}"
    order = make_paid_order()
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    found = re.search(r"https://shop\.example/orders/(\S+)\?id=(\S+)&token=(\S+)", mailoutbox[0].body)
    assert found is not None
    number, global_id, token = found.groups()
    assert (number, token) == (order.number, order.token)
    assert parse(global_id) == ("Order", str(order.pk))
