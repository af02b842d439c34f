"""Roles are Django's groups. What each may do is granted once, after migrating; from then on the admin decides."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from backend.accounts.models import DefaultGrant
from backend.core.caller import Role

_EDIT = ("add", "change", "delete", "view")
_SEE = ("view",)
_SETTLE = ("add_refund", "change_payment", "change_webhookmessage")
GROUP_NAMES: dict[Role, str] = {
    Role.CUSTOMER: "Customers",
    Role.VENDOR: "Vendors",
    Role.PRODUCT_MANAGER: "Product managers",
    Role.ORDER_MANAGER: "Order managers",
    Role.SUPPORT: "Support",
    Role.ADMIN: "Admins",
}
ROLE_OF_GROUP = {name: role for role, name in GROUP_NAMES.items()}
EVERYTHING = "*"
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Customers": {},
    "Vendors": {},
    "Product managers": {"catalog": _EDIT, "inventory": _EDIT, "vendors": _SEE},
    "Order managers": {
        "orders": _EDIT,
        "payments": (*_SEE, *_SETTLE),
        "carts": _SEE,
        "catalog": _SEE,
        "inventory": _SEE,
    },
    "Support": {"orders": _SEE, "payments": _SEE, "carts": _SEE, "catalog": _SEE, "accounts": _SEE, "vendors": _SEE},
    "Admins": {EVERYTHING: ("",)},
}
"""Group -> app -> what its members may do: an action with every model of the app, or a permission's whole codename."""


def ready_roles() -> dict[str, Group]:
    """The groups by name, made where they are missing. Those that are there keep what an admin gave them."""
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in ROLES}
    _grant(groups, Q())
    return groups


def grant_after_migrating(sender: AppConfig, **_: Any) -> None:
    """Make the groups, and grant what belongs to the app whose permissions have just been made.

    Not a data migration: those run before there are permissions, and would have to know every other app's.
    """
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in ROLES}
    _grant(groups, Q(content_type__app_label=sender.label))


def _grant(groups: dict[str, Group], within: Q) -> None:
    """Grant each default once in the shop's life: what an admin has taken away stays away."""
    given = set(DefaultGrant.objects.values_list("group_id", "permission_id"))
    for name, group in groups.items():
        new = [each for each in _permissions(ROLES[name], within) if (group.pk, each.pk) not in given]
        group.permissions.add(*new)
        DefaultGrant.objects.bulk_create(
            [DefaultGrant(group=group, permission=each) for each in new], ignore_conflicts=True
        )


def _permissions(apps: dict[str, tuple[str, ...]], within: Q) -> Iterable[Permission]:
    wanted = Q(pk=None)
    for app, actions in apps.items():
        if app == EVERYTHING:
            wanted |= ~Q(pk=None)
        for action in actions:
            named = Q(codename=action) | Q(codename__startswith=f"{action}_")
            wanted |= Q(content_type__app_label=app) & named
    return Permission.objects.filter(wanted, within)
