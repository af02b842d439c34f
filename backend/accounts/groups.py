"""What a group may be called and may do, and who decides: one set of rules for GraphQL and for the admin's pages.

`may` is what the person who asks may do at this moment, by Django's names ("orders.view_order").
"""

import unicodedata
from collections.abc import Collection, Iterable, Set

from django.contrib.auth.models import Group, Permission

from backend.accounts.access import VIEW_GROUPS, VIEW_USERS
from backend.accounts.errors import Forbidden
from backend.accounts.roles import GROUP_NAMES, ROLE_OF_GROUP
from backend.core.caller import Role
from backend.core.errors import Invalid, Required
from backend.core.plain_text import is_one_line
from backend.core.saving import problems

ASSIGN = "accounts.assign_roles"
ADD, CHANGE, DELETE = "auth.add_group", "auth.change_group", "auth.delete_group"
KEPT_BY_ADMINS = frozenset({ASSIGN, VIEW_USERS, VIEW_GROUPS, ADD, CHANGE, DELETE})
"""What gives people and groups their rights. Nobody could give it back, once no admin had it."""
MAX_TOLD = 5
_RESERVED = {name.casefold() for name in ROLE_OF_GROUP}


def lock_groups() -> None:
    """One at a time for whoever changes groups, or takes the admins' role, until the transaction ends.

    Take it before people's rows. Members come and go meanwhile, where no right of the admins' is at stake.
    """
    Group.objects.select_for_update(no_key=True).get(name=GROUP_NAMES[Role.ADMIN])


def is_role(group: Group) -> bool:
    """Whether its name makes it a role: that stays, and so does the group."""
    return group.name in ROLE_OF_GROUP


def names_of(permissions: Iterable[Permission]) -> set[str]:
    """Django's names; the content types are read with the permissions, or one by one."""
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def permissions_of(group: Group) -> set[str]:
    """What its members may do by it; nothing for one that is not saved yet."""
    return names_of(group.permissions.select_related("content_type")) if group.pk else set()


def clean_name(text: str, *, but: Group | None = None) -> str:
    """A name that no other group has, in any case of letters. Call `lock_groups` first. Raises Required or Invalid."""
    name = unicodedata.normalize("NFKC", text).strip()
    if but is not None and name == but.name:
        return name
    if but is not None and is_role(but):
        raise Invalid("A role's name makes it the role: it stays.", field=["name"])
    if not name:
        raise Required("A group needs a name.", field=["name"])
    if not is_one_line(name):
        raise Invalid("Control characters cannot be part of a name.", field=["name"])
    for problem in problems(Group, {"name": name}):
        raise problem
    others = Group.objects.filter(name__iexact=name).exclude(pk=but.pk if but else 0)
    if name.casefold() in _RESERVED or others.exists():
        raise Invalid("There is a group with this name.", field=["name"])
    return name


def check_may_touch(may: Set[str], group: Group) -> None:
    """Nobody touches a group that may do more than they may. Raises Forbidden."""
    if not permissions_of(group) <= may:
        raise Forbidden("This group may do more than you may.", field=["id"])


def check_permissions(may: Set[str], group: Group, wanted: Set[str]) -> None:
    """Nobody gives or takes what they may not do. Raises Forbidden, or Invalid for what the admins need to be that."""
    held = permissions_of(group)
    beyond = (held ^ wanted) - may
    if beyond:
        message = f"You may not give or take what you may not do yourself: {_told(beyond)}."
        raise Forbidden(message, field=["permissions"])
    lost = (held - wanted) & KEPT_BY_ADMINS
    if lost and ROLE_OF_GROUP.get(group.name) == Role.ADMIN:
        message = f"Without these, no admin could give anybody rights any more: {_told(lost)}."
        raise Invalid(message, field=["permissions"])


def check_may_delete(may: Set[str], group: Group) -> None:
    """Raises Forbidden for a group that may do more, and Invalid for a role."""
    check_may_touch(may, group)
    if is_role(group):
        raise Invalid("A role stays: without the admins' own, its members would be none.", field=["id"])


def _told(names: Collection[str]) -> str:
    more = len(names) - MAX_TOLD
    return ", ".join(sorted(names)[:MAX_TOLD]) + (f" and {more} more" if more > 0 else "")
