"""Groups: what their members may do, and who is a member of the shop's own ones."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from backend.accounts import groups, marks
from backend.accounts.access import UserNotFound, access_group, visible_users
from backend.accounts.errors import Forbidden
from backend.accounts.models import GONE
from backend.accounts.services.rights import permissions_now, rights_changed
from backend.core import outbox
from backend.core.caller import Caller
from backend.core.errors import DomainError, Invalid, refuse
from backend.core.saving import KEEP, Keep

MAX_PEOPLE = 100
"""That are added, or removed, at once."""
MAX_NAMES = 2000
"""Of permissions that are sent at once: far more than there are."""


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What is not KEEP is to be set. `add` and `remove` are users; None for an id that is none of ours."""

    name: str | Keep = KEEP
    permissions: Sequence[str] | Keep = KEEP
    add: Sequence[int | None] = ()
    remove: Sequence[int | None] = ()


class _Members(NamedTuple):
    """Who comes and who goes: those alone for whom that is a change."""

    added: list[int]
    removed: list[int]


def create_group(*, caller: Caller, name: str, permissions: Sequence[str] = ()) -> Group:
    """Make a group of the shop's own, with what its members may do. Emits `group.created`.

    Raises everything that is at fault, together: Required or Invalid for the name, Invalid for permissions that there
    are not, Forbidden for those that the caller lacks.
    """
    with transaction.atomic():
        groups.lock_groups()
        may = permissions_now(caller, groups.ADD)
        group = Group()
        chosen = _prepare(group, may, GroupChange(name, permissions))
        group.save()
        group.permissions.set(chosen or ())
        told = {"by": caller.user_id, "name": group.name, "given": sorted(groups.names_of(chosen or ()))}
        outbox.emit("group.created", key=str(group.pk), data=told)
    return group


def update_group(*, caller: Caller, group_id: int | None, change: GroupChange) -> Group:
    """Change what is given, and emit `group.changed` if anything was. It holds at once for every member.

    Locks the groups, then the people by id. Raises NotFound, Forbidden for a group that may do more than the caller,
    and else everything that is at fault, together. Who has a role is said by `set_roles` alone.
    """
    with transaction.atomic():
        groups.lock_groups()
        group = access_group(caller=caller, group_id=group_id)
        may = permissions_now(caller, groups.CHANGE)
        groups.check_may_touch(may, group)
        old_name, held = group.name, groups.permissions_of(group)
        errors: list[DomainError] = []
        members = _Members([], [])
        try:
            members = _prepare_members(caller, group, may, change)
        except DomainError as error:
            errors += error.parts
        chosen = _prepare(group, may, change, errors)
        told = _store(group, old_name, held, chosen, members)
        if told:
            outbox.emit("group.changed", key=str(group.pk), data={"by": caller.user_id, **told})
        concerned = {*members.added, *members.removed}
        if "given" in told or "taken" in told:
            concerned |= set(group.user_set.values_list("pk", flat=True))
    if groups.is_role(group):
        marks.tell_roles()
    if concerned:
        rights_changed(concerned)
    return group


def delete_group(*, caller: Caller, group_id: int | None) -> None:
    """Dissolve a group of the shop's own; its members lose at once what it gave them. Emits `group.deleted`.

    Raises NotFound, Forbidden for a group that may do more than the caller, or Invalid for a role.
    """
    with transaction.atomic():
        groups.lock_groups()
        group = access_group(caller=caller, group_id=group_id)
        groups.check_may_delete(permissions_now(caller, groups.DELETE), group)
        members = sorted(group.user_set.values_list("pk", flat=True))
        taken = sorted(groups.permissions_of(group))
        told = {"by": caller.user_id, "name": group.name, "taken": taken, "removed": members}
        outbox.emit("group.deleted", key=str(group.pk), data=told)
        group.delete()
    rights_changed(members)


def _prepare(
    group: Group, may: Set[str], change: GroupChange, errors: Sequence[DomainError] = ()
) -> list[Permission] | None:
    """Set the name on a group that is not saved here; returns the permissions that it is to have, None to keep.

    Raises what is at fault, with the `errors` that were found before.
    """
    found = list(errors)
    chosen = None
    if not isinstance(change.permissions, Keep):
        try:
            chosen = _permissions(change.permissions)
            groups.check_permissions(may, group, groups.names_of(chosen))
        except DomainError as error:
            found += error.parts
    if not isinstance(change.name, Keep):
        try:
            group.name = groups.clean_name(change.name, but=group if group.pk else None)
        except DomainError as error:
            found.insert(0, error)
    refuse(found)
    return chosen


def _permissions(names: Sequence[str]) -> list[Permission]:
    """Raises Invalid for each that there is not."""
    if len(names) > MAX_NAMES:
        raise Invalid(f"At most {MAX_NAMES} permissions at once.", field=["permissions"])
    rows = list(Permission.objects.select_related("content_type"))
    known = groups.names_of(rows)
    unknown = [n for n, name in enumerate(names) if name not in known]
    refuse([Invalid("There is no permission with this name.", field=["permissions", str(n)]) for n in unknown])
    return [row for row in rows if not groups.names_of([row]).isdisjoint(names)]


def _prepare_members(caller: Caller, group: Group, may: Set[str], change: GroupChange) -> _Members:
    """Who becomes a member and who is one no more, locked by id. A membership gives what the group may do.

    Raises Forbidden, Invalid for roles, or UserNotFound for each whom the caller does not see.
    """
    if not change.add and not change.remove:
        return _Members([], [])
    first = "addUserIds" if change.add else "removeUserIds"
    if groups.is_role(group):
        raise Invalid("Who has a role is said by userRolesSet.", field=[first])
    if groups.ASSIGN not in may:
        raise Forbidden("You may not say who is a member.", field=[first])
    for field, ids in (("addUserIds", change.add), ("removeUserIds", change.remove)):
        if len(ids) > MAX_PEOPLE:
            raise Invalid(f"At most {MAX_PEOPLE} people at once.", field=[field])
    wanted = {each for each in (*change.add, *change.remove) if each is not None}
    rows = visible_users(caller).exclude(email__endswith=GONE).filter(pk__in=wanted)
    locked = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
    active = dict(locked.values_list("pk", "is_active"))
    refuse([
        *(UserNotFound(field=["addUserIds", str(n)]) for n, each in enumerate(change.add) if not active.get(each or 0)),
        *(UserNotFound(field=["removeUserIds", str(n)]) for n, each in enumerate(change.remove) if each not in active),
        *_in_both(change),
    ])  # fmt: skip
    members = set(group.user_set.filter(pk__in=wanted).values_list("pk", flat=True))
    return _Members(sorted(set(_ids(change.add)) - members), sorted(members.intersection(_ids(change.remove))))


def _in_both(change: GroupChange) -> list[DomainError]:
    both = set(_ids(change.add)).intersection(_ids(change.remove))
    fields = [["removeUserIds", str(n)] for n, each in enumerate(change.remove) if each in both]
    return [Invalid("This person is both added and removed.", field=field) for field in fields]


def _ids(sent: Collection[int | None]) -> list[int]:
    return [each for each in sent if each is not None]


def _store(
    group: Group, old_name: str, held: Set[str], chosen: list[Permission] | None, members: _Members
) -> dict[str, object]:
    """Write what differs; returns it as it is told of."""
    told: dict[str, object] = {}
    if group.name != old_name:
        group.save(update_fields=["name"])
        told |= {"name": group.name, "was": old_name}
    if chosen is not None:
        wanted = groups.names_of(chosen)
        group.permissions.set(chosen)
        told |= {name: sorted(each) for name, each in (("given", wanted - held), ("taken", held - wanted)) if each}
    group.user_set.add(*members.added)
    group.user_set.remove(*members.removed)
    told |= {name: each for name, each in members._asdict().items() if each}
    return told
