"""The order confirmation."""

from typing import Any
from uuid import uuid4

import pytest

from backend.catalog.models import Product
from backend.core.addresses import Address
from backend.notifications.services import send_order_confirmation
from tests.factories.catalog import make_product
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
    address = Address(first_name="<b>Ada", last_name="B", line1="1 Main St", city="S", country="US")
    order = make_paid_order((product.variants.get(), 1), shipping_address=address)
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    html = mailoutbox[0].alternatives[0].content
    assert "<script>" not in html
    assert "<b>Ada" not in html
    assert Product.objects.count() == 1


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
    settings.STOREFRONT_ORDER_URL = "https://shop.example/orders/{number}?token={token}"
    order = make_paid_order()
    send_order_confirmation(event_id=uuid4(), order_id=order.pk)
    assert f"https://shop.example/orders/{order.number}?token={order.token}" in mailoutbox[0].body
