"""Roles and their permissions."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from backend.accounts.queries import grants_by_user, permission_names, permissions_by_role
from backend.accounts.roles import GROUP_NAMES, grant_after_migrating, ready_roles
from backend.core.caller import Role
from tests.factories.accounts import make_user
from tests.factories.catalog import make_product
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def test_every_role_is_a_group_after_migrating() -> None:
    assert set(GROUP_NAMES) == set(Role)
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUP_NAMES.values())


def test_roles_may_what_their_people_do() -> None:
    may = permissions_by_role()
    assert may[Role.CUSTOMER] == frozenset()
    assert {"catalog.change_product", "inventory.change_stocklevel"} <= may[Role.PRODUCT_MANAGER]
    assert "orders.change_order" not in may[Role.PRODUCT_MANAGER]
    assert "orders.change_order" in may[Role.ORDER_MANAGER]
    assert "catalog.change_product" not in may[Role.ORDER_MANAGER]
    assert {"accounts.assign_roles", "orders.delete_order"} <= may[Role.ADMIN]
    assert "accounts.assign_roles" not in may[Role.SUPPORT]


@pytest.mark.parametrize(("role", "edits"), [(Role.PRODUCT_MANAGER, True), (Role.ORDER_MANAGER, False)])
def test_a_product_manager_edits_products_and_no_orders_in_the_admins_pages(role: Role, edits: bool) -> None:
    product, order = make_product(variants=0), make_order()
    client = Client()
    client.force_login(make_user(role=role, is_staff=True, password=None))
    inlines = ("variants", "images", "attribute_values")
    form = {
        "name": "New",
        "slug": product.slug,
        "status": product.status,
        "options": "[]",
        "translations": "[]",
        **{f"{prefix}-{count}_FORMS": 0 for prefix in inlines for count in ("TOTAL", "INITIAL")},
    }
    answer = client.post(reverse("admin:catalog_product_change", args=[product.pk]), form)
    assert answer.status_code == (302 if edits else 403)
    product.refresh_from_db()
    assert (product.name == "New") is edits
    page = reverse("admin:orders_order_change", args=[order.pk])
    for url in (page, reverse("admin:orders_order_changelist")):
        assert client.get(url).status_code == (403 if edits else 200)
    assert client.post(page, {"status": "PAID"}).status_code == 403


def test_what_an_admin_took_away_stays_away_and_what_is_new_comes() -> None:
    group = Group.objects.get(name="Product managers")
    taken = Permission.objects.get(codename="delete_product")
    group.permissions.remove(taken)
    new = Permission.objects.create(codename="change_newthing", name="New", content_type=taken.content_type)
    for app in ("catalog", "orders"):
        grant_after_migrating(apps.get_app_config(app))
    ready_roles()
    names = set(group.permissions.values_list("codename", flat=True))
    assert "delete_product" not in names
    assert new.codename in names


def test_migrating_again_changes_nothing() -> None:
    before = permissions_by_role()
    call_command("migrate", verbosity=0)
    assert permissions_by_role() == before


def test_permissions_come_from_roles_own_groups_and_the_person() -> None:
    user = make_user(role=Role.SUPPORT)
    other = Group.objects.create(name="Night shift")
    other.permissions.add(Permission.objects.get(codename="change_cart"))
    user.groups.add(other)
    user.user_permissions.add(Permission.objects.get(codename="delete_cart"))
    grants = grants_by_user([user.pk])[user.pk]
    assert grants.roles == {Role.CUSTOMER, Role.SUPPORT}
    assert grants.extra == {"carts.change_cart", "carts.delete_cart"}
    [names] = permission_names([user.pk])
    assert {"carts.change_cart", "carts.delete_cart", "orders.view_order"} <= set(names)
    assert names == sorted(names)


def test_superusers_may_everything_and_the_inactive_nothing() -> None:
    root, off = make_user(is_superuser=True), make_user(role=Role.ADMIN, is_active=False)
    everything, nothing, missing = permission_names([root.pk, off.pk, 0])
    assert len(everything) == Permission.objects.count()
    assert nothing == missing == []
    assert grants_by_user([root.pk])[root.pk].roles == {Role.CUSTOMER, Role.ADMIN}
