"""Roles and their permissions."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from backend.accounts.queries import grants_by_user, permission_names, permissions_by_role
from backend.accounts.roles import GROUP_NAMES, grant_after_migrating, ready_roles
from backend.core.caller import Role
from tests.factories.accounts import make_user

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
