"""Giving roles, and what must follow when somebody's rights were changed, wherever that was."""

from collections.abc import Collection, Set

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q

from backend.accounts import marks
from backend.accounts.access import access_user
from backend.accounts.errors import Forbidden
from backend.accounts.groups import ASSIGN, lock_groups
from backend.accounts.models import Session, User
from backend.accounts.queries import permission_names, permissions_by_role
from backend.accounts.roles import GROUP_NAMES
from backend.accounts.services.sessions import end_sessions
from backend.core import clock, outbox
from backend.core.caller import STAFF_ROLES, Caller, Role
from backend.core.errors import Invalid

LAST_ADMIN = "The shop's last admin cannot go: make somebody else an admin first."


def rights_changed(user_ids: Collection[int]) -> None:
    """Have the next request of each of these users read their rights anew; whoever is inactive is signed out."""
    with transaction.atomic():
        rows = User.objects.filter(pk__in=user_ids)
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))  # by id: two at once do not deadlock
        rows.update(rights_version=F("rights_version") + 1)
        ended = end_sessions(Session.objects.filter(user_id__in=user_ids, user__is_active=False))
        living = Session.objects.filter(user_id__in=user_ids, revoked_at=None, expires_at__gt=clock.now())
        versions = dict(living.values_list("pk", "user__rights_version"))
    marks.tell_ended(ended)
    marks.tell_rights(versions)


def set_roles(*, caller: Caller, user_id: int | None, roles: Collection[Role]) -> User:
    """Give somebody exactly these roles, beside CUSTOMER, which everybody has. Emits `user.roles_changed`.

    Nobody gives or takes a role that may do more than they may themselves. Raises Forbidden, NotFound, or Invalid for
    the last admin. Whoever loses their last role of staff no longer opens the admin's pages.
    """
    wanted = set(roles) - {Role.CUSTOMER}
    with transaction.atomic():
        groups = _lock_admins()
        user = access_user(caller=caller, user_id=user_id, field="userId", lock=True)
        held = {role for role, group in groups.items() if user.groups.filter(pk=group.pk).exists()}
        given, taken = wanted - held, held - wanted
        _check_may_give(caller, given | taken)
        if Role.ADMIN not in wanted and (user.is_superuser or Role.ADMIN in taken):
            _check_may_lose_admin(user)
        if not given and not taken:
            return user
        user.groups.add(*(groups[role] for role in given))
        user.groups.remove(*(groups[role] for role in taken))
        if taken & STAFF_ROLES and not wanted & STAFF_ROLES:
            User.objects.filter(pk=user.pk, is_superuser=False).update(is_staff=False)
        told = {"by": caller.user_id, "given": sorted(given), "taken": sorted(taken)}
        outbox.emit("user.roles_changed", key=str(user.pk), data=told)
    rights_changed([user.pk])
    return user


def give_role(user_ids: Collection[int], role: Role) -> list[int]:
    """Give a role without asking who may; returns those who did not have it, for `rights_changed`."""
    group = Group.objects.get(name=GROUP_NAMES[role])
    new = list(User.objects.filter(pk__in=user_ids).exclude(groups=group).values_list("pk", flat=True))
    group.user_set.add(*new)
    return new


def take_role(user_ids: Collection[int], role: Role) -> list[int]:
    """Take a role away without asking who may; returns those who had it, for `rights_changed`."""
    group = Group.objects.get(name=GROUP_NAMES[role])
    old = list(group.user_set.filter(pk__in=user_ids).values_list("pk", flat=True))
    group.user_set.remove(*old)
    return old


def check_may_leave(user: User) -> None:
    """Raises Invalid for the last admin: nobody could give roles any more.

    Take it before the user's own row is locked; until the transaction ends, no other admin goes meanwhile.
    """
    if user.is_superuser or user.groups.filter(name=GROUP_NAMES[Role.ADMIN]).exists():
        _lock_admins()
        if not has_other_admin(user.pk):
            raise Invalid(LAST_ADMIN)


def has_other_admin(user_id: int) -> bool:
    """Whether the shop has an admin beside this one."""
    admins = Q(is_superuser=True) | Q(groups__name=GROUP_NAMES[Role.ADMIN])
    return User.objects.filter(admins, is_active=True).exclude(pk=user_id).exists()


def _lock_admins() -> dict[Role, Group]:
    """The roles' groups; that of the admins is locked, so that two of them cannot demote each other at once."""
    lock_groups()
    rows = {group.name: group for group in Group.objects.filter(name__in=GROUP_NAMES.values())}
    return {role: rows[name] for role, name in GROUP_NAMES.items() if role != Role.CUSTOMER}


def permissions_now(caller: Caller, needed: str) -> Set[str]:
    """What the caller may at this moment, not when their token was looked at. Raises Forbidden without the `needed`."""
    [names] = permission_names([caller.user_id or 0])
    if needed not in names:
        raise Forbidden
    return set(names)


def _check_may_give(caller: Caller, roles: Collection[Role]) -> None:
    """Raises Forbidden."""
    may = permissions_now(caller, ASSIGN)
    by_role = permissions_by_role()
    beyond = sorted(role for role in roles if not by_role[role] <= may)
    if beyond:
        raise Forbidden(f"You may not give or take what you may not do yourself: {', '.join(beyond)}.", field=["roles"])


def _check_may_lose_admin(user: User) -> None:
    if not has_other_admin(user.pk):
        raise Invalid(LAST_ADMIN, field=["roles"])
    if user.is_superuser:
        raise Invalid("A superuser is an admin by that alone: change that in the admin's pages.", field=["roles"])
