"""Every page of the admin opens, and its lists take as many statements for many rows as for few."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.accounts.models import User
from backend.carts.models import Cart
from backend.catalog.models import Product, ProductListing, ProductVariant
from backend.core.models import OutboxEvent
from backend.inventory.models import StockLevel, StockMovement
from backend.orders.models import Order
from backend.payments.models import Payment, PaymentTransaction, WebhookMessage
from tests.factories.carts import make_cart
from tests.factories.catalog import make_category, make_image, make_product
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "secret"))
    return client


def a_little_of_everything() -> None:
    product = make_product(category=make_category(), variants=2)
    make_image(product)
    variant = product.variants.first()
    make_cart((variant, 1))
    payment = start(make_order((variant, 1)))
    press(payment)
    deliver_all(payment)


def pages() -> list[str]:
    return [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]


@pytest.mark.parametrize("name", pages())
def test_every_list_opens(staff: Client, name: str) -> None:
    a_little_of_everything()
    assert staff.get(reverse(f"admin:{name}_changelist")).status_code == 200


@pytest.mark.parametrize("model", [Product, ProductVariant, StockLevel, Order, Payment, WebhookMessage, Cart, User])
def test_pages_of_rows_open(staff: Client, model: Any) -> None:
    a_little_of_everything()
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    row = model.objects.order_by("pk").first()
    assert staff.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize(
    "model", [Product, ProductVariant, StockLevel, StockMovement, Cart, Order, Payment, PaymentTransaction, OutboxEvent]
)
def test_lists_take_as_many_statements_for_many_rows(staff: Client, model: Any) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    counts = []
    for rows in (1, 6):
        for _ in range(rows):
            a_little_of_everything()
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(url).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 15


def test_a_new_price_in_the_admin_is_a_new_price_in_lists(staff: Client) -> None:
    variant = make_product(prices={"USD": 1000}).variants.get()
    price = variant.prices.get()
    form = {
        "product": variant.product_id,
        "sku": variant.sku,
        "options": "{}",
        "position": 0,
        "weight_grams": 0,
        "stock_policy": "DENY",
        "translations": "{}",
        "prices-TOTAL_FORMS": 1,
        "prices-INITIAL_FORMS": 1,
        "prices-0-id": price.pk,
        "prices-0-variant": variant.pk,
        "prices-0-currency": "USD",
        "prices-0-amount": 2500,
    }
    url = reverse("admin:catalog_productvariant_change", args=[variant.pk])
    answer = staff.post(url, form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert ProductListing.objects.get(product=variant.product_id).price_min == 2500


def test_what_services_write_cannot_be_written_here(staff: Client) -> None:
    order = make_order()
    url = reverse("admin:orders_order_change", args=[order.pk])
    assert staff.post(url, {"status": "PAID"}).status_code == 403
    assert order.token not in staff.get(url).content.decode()


def test_nobody_else_gets_in() -> None:
    assert Client().get(reverse("admin:index")).status_code == 302
