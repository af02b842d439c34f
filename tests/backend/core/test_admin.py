"""Every page of the admin opens, and its lists take as many statements for many rows as for few."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.staticfiles import finders
from django.db import connection
from django.templatetags.static import static
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.accounts.models import User
from backend.accounts.roles import ROLES, ready_roles
from backend.carts.models import Cart
from backend.catalog.models import Product, ProductListing, ProductVariant, VariantPrice
from backend.catalog.services import refresh_listings
from backend.core.models import OutboxEvent
from backend.inventory.models import StockLevel, StockMovement
from backend.orders.models import Order
from backend.payments.models import Payment, PaymentTransaction, WebhookMessage
from backend.vendors.models import Vendor, VendorMember
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


def test_pages_use_our_own_style(staff: Client) -> None:
    """Pickers of groups and permissions are tall enough to choose from."""
    page = staff.get(reverse("admin:auth_group_add")).content.decode()
    assert f'href="{static("core/admin.css")}"' in page
    assert finders.find("core/admin.css")


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


@pytest.mark.parametrize("way", ["its page", "the list's action"])
def test_a_variant_that_is_deleted_in_the_admin_prices_no_list(staff: Client, way: str) -> None:
    product = make_product(prices={"USD": 1000})
    cheap = ProductVariant.objects.create(product=product, sku="CHEAP", options={"Size": "S"})
    VariantPrice.objects.create(variant=cheap, currency="USD", amount=500)
    refresh_listings([product.pk])
    assert ProductListing.objects.get(product=product).price_min == 500
    if way == "its page":
        answer = staff.post(f"/admin/catalog/productvariant/{cheap.pk}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [cheap.pk], "post": "yes"}
        answer = staff.post("/admin/catalog/productvariant/", chosen)
    assert answer.status_code == 302
    assert not ProductVariant.objects.filter(pk=cheap.pk).exists()
    assert ProductListing.objects.get(product=product).price_min == 1000


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


def member(role: str) -> Client:
    """Somebody who may do what a role may do."""
    user = User.objects.create_user("member@example.com", "secret", is_staff=True)
    user.groups.add(ready_roles()[role])
    client = Client()
    client.force_login(user)
    return client


def links(html: str) -> set[str]:
    """Where a page leads within the admin, sort orders and leaving aside."""
    found = {unescape(link).partition("#")[0] for link in re.findall(r'<a[^>]* href="(/admin/[^"]+)"', html)}
    return {link for link in found if "?" not in link and not re.search("log(in|out)/", link)}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"Customers", "Vendors"}))
def test_no_link_leads_where_a_role_may_not_go(role: str) -> None:
    a_little_of_everything()
    vendor = Vendor.objects.create(name="North & <South>", slug="north")
    VendorMember.objects.create(vendor=vendor, user=User.objects.create_user("clerk@example.com"))
    customer = User.objects.create_user("buyer@example.com")
    Product.objects.update(vendor=vendor)
    Order.objects.update(customer=customer)
    Cart.objects.update(customer=customer)
    StockMovement.objects.update(order=Order.objects.get())
    client = member(role)
    seen, waiting = set(), ["/admin/"]
    while waiting:
        url = waiting.pop()
        answer = client.get(url, follow=True)
        assert answer.status_code == 200, url
        seen.add(url)
        waiting += links(answer.content.decode()) - seen - set(waiting)
    assert len(seen) > 20


def test_what_is_no_link_is_shown_as_text() -> None:
    a_little_of_everything()
    vendor = Vendor.objects.create(name="North & <South>", slug="north")
    Product.objects.update(vendor=vendor)
    url = reverse("admin:catalog_product_change", args=[Product.objects.get().pk])
    there = reverse("admin:vendors_vendor_change", args=[vendor.pk])
    support, may_see = member("Support"), Permission.objects.get(codename="view_vendor")
    Group.objects.get(name="Support").permissions.remove(may_see)
    shown = [support.get(url).content.decode()]
    Group.objects.get(name="Support").permissions.add(may_see)
    client = Client()
    client.force_login(User.objects.get(email="member@example.com"))
    shown.append(client.get(url).content.decode())
    assert ["North &amp; &lt;South&gt;" in html for html in shown] == [True, True]
    assert [f'href="{there}"' in html for html in shown] == [False, True]


def user_form(user: User, **changes: Any) -> dict[str, Any]:
    """What a browser sends of a user's page."""
    sent = {"email": user.email, "is_active": "on", "username": "", "first_name": "", "last_name": "", "phone": ""}
    return sent | changes


def test_users_without_a_username_can_be_saved(staff: Client) -> None:
    for name in ("a", "b"):
        user = User.objects.create_user(f"{name}@example.com")
        url = reverse("admin:accounts_user_change", args=[user.pk])
        assert staff.post(url, user_form(user)).status_code == 302
        assert staff.post(url, user_form(user, first_name="Ann")).status_code == 302
        user.refresh_from_db()
        assert (user.username, user.first_name, user.has_usable_password()) == (None, "Ann", False)
    assert staff.post(url, user_form(user, username="bee")).status_code == 302
    assert staff.post(url, user_form(user)).status_code == 302
    assert User.objects.get(pk=user.pk).username is None


def test_user_is_added_and_gets_another_password(staff: Client) -> None:
    sent = {"email": "New@example.com", "password1": "corr3ct-horse", "password2": "corr3ct-horse"}
    assert staff.post(reverse("admin:accounts_user_add"), sent).status_code == 302
    user = User.objects.get(email="New@example.com")
    assert user.username is None
    assert user.check_password("corr3ct-horse")
    passwords = {"password1": "batt3ry-staple", "password2": "batt3ry-staple", "usable_password": "true"}
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    assert staff.get(url).status_code == 200
    assert staff.post(url, passwords).status_code == 302
    assert User.objects.get(pk=user.pk).check_password("batt3ry-staple")


def test_email_that_differs_in_case_alone_is_refused_with_a_sentence(staff: Client) -> None:
    sent = {"email": "ROOT@example.com", "password1": "corr3ct-horse", "password2": "corr3ct-horse"}
    answer = staff.post(reverse("admin:accounts_user_add"), sent)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert User.objects.count() == 1


def test_nobody_else_gets_in() -> None:
    assert Client().get(reverse("admin:index")).status_code == 302
