"""What staff may do in the admin, by role: groups of Django's permissions."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

_EDIT = ("add", "change", "delete", "view")
_SEE = ("view",)
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Product managers": {"catalog": _EDIT, "inventory": _EDIT, "vendors": _SEE},
    "Order managers": {"orders": _EDIT, "payments": _SEE, "carts": _SEE, "catalog": _SEE, "inventory": _SEE},
    "Support": {"orders": _SEE, "payments": _SEE, "carts": _SEE, "catalog": _SEE, "accounts": _SEE},
}
"""Group -> app -> what its members may do with every model of it."""


def ready_roles() -> dict[str, Group]:
    """The groups by name, made where they are missing. Those that are there keep what an admin gave them."""
    groups = {}
    for name, apps in ROLES.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            group.permissions.set(_permissions(apps))
        groups[name] = group
    return groups


def _permissions(apps: dict[str, tuple[str, ...]]) -> list[Permission]:
    wanted = Q()
    for app, actions in apps.items():
        for action in actions:
            wanted |= Q(content_type__app_label=app, codename__startswith=f"{action}_")
    return list(Permission.objects.filter(wanted))
