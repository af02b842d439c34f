"""Reading people, what they may do, and their sessions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, Q
from social_django.models import UserSocialAuth

from backend.accounts.access import visible_groups, visible_users
from backend.accounts.models import GONE, Authenticator, Customer, Session, User
from backend.accounts.roles import GROUP_NAMES, ROLE_OF_GROUP
from backend.accounts.social.providers import BACKENDS, SocialProvider
from backend.accounts.tokens import Grants
from backend.core import clock
from backend.core.caller import Caller, Role
from backend.core.errors import Invalid
from backend.core.paging import Ordering, Page, PageRequest, SortKey, page

MAX_SESSIONS = 100
MAX_SEARCH = 100
NEWEST = Ordering("newest", (), descending=True)
BY_NAME = Ordering("name", (SortKey("name", str),))
_SEARCHED = ("email", "username", "first_name", "last_name")


class SessionState(NamedTuple):
    """Whether a session lives, and the newest version of its user's rights."""

    alive: bool
    rights_version: int


DEAD = SessionState(alive=False, rights_version=0)


def session_state(session_id: UUID) -> SessionState:
    """What PostgreSQL knows of a session; DEAD also for one that never was."""
    found = (
        Session.objects.filter(pk=session_id, revoked_at=None, user__is_active=True)
        .values_list("user__rights_version", "expires_at")
        .first()
    )
    if found is None or found[1] <= clock.now():
        return DEAD
    return SessionState(alive=True, rights_version=found[0])


def grants_by_user(user_ids: Collection[int]) -> dict[int, Grants]:
    """What each of these users is and may do. Those who are missing or inactive are not in it."""
    users = User.objects.filter(pk__in=user_ids, is_active=True).values_list("pk", "rights_version", "is_superuser")
    roles: dict[int, set[Role]] = defaultdict(set)
    extra: dict[int, set[str]] = defaultdict(set)
    others: dict[int, list[int]] = defaultdict(list)
    memberships = User.groups.through.objects.filter(user_id__in=user_ids)
    for user_id, group_id, name in memberships.values_list("user_id", "group_id", "group__name"):
        if name in ROLE_OF_GROUP:
            roles[user_id].add(ROLE_OF_GROUP[name])
        else:
            others[group_id].append(user_id)
    own = User.user_permissions.through.objects.filter(user_id__in=user_ids)
    for user_id, app, code in own.values_list("user_id", "permission__content_type__app_label", "permission__codename"):
        extra[user_id].add(f"{app}.{code}")
    if others:
        for group_id, names in _permissions_by_group(Group.objects.filter(pk__in=others)).items():
            for user_id in others[group_id]:
                extra[user_id] |= names
    return {
        pk: Grants(
            version,
            frozenset({Role.CUSTOMER, *roles[pk], *([Role.ADMIN] if superuser else [])}),
            frozenset(extra[pk]),
            superuser,
        )
        for pk, version, superuser in users
    }


def usable_grants_by_user(user_ids: Collection[int]) -> dict[int, Grants]:
    """What each of these users may make use of: nothing, where a role of theirs asks for a second factor they lack."""
    grants = grants_by_user(user_ids)
    asking = {Role(name) for name in settings.SECOND_FACTOR_ROLES}
    bound = {pk for pk, each in grants.items() if not asking.isdisjoint(each.roles)}
    for pk in bound - users_with_second_factor(bound):
        grants[pk] = Grants(grants[pk].rights_version, frozenset({Role.CUSTOMER}), frozenset(), False, True)
    return grants


def users_with_second_factor(user_ids: Collection[int]) -> set[int]:
    if not user_ids:
        return set()
    return set(Authenticator.objects.filter(user__in=user_ids, confirmed=True).values_list("user_id", flat=True))


def providers_by_user(user_ids: Collection[int]) -> dict[int, list[SocialProvider]]:
    """Whom each of these users has linked, in the order of their names; those without any are not in it."""
    names = {each.name: provider for provider, each in BACKENDS.items()}
    rows = UserSocialAuth.objects.filter(user_id__in=user_ids, provider__in=names).order_by("provider")
    found: dict[int, list[SocialProvider]] = defaultdict(list)
    for user_id, name in rows.values_list("user_id", "provider").distinct():
        found[user_id].append(names[name])
    return found


def permissions_by_role() -> dict[Role, frozenset[str]]:
    """What the members of each role may do today."""
    groups = {group.pk: ROLE_OF_GROUP[group.name] for group in Group.objects.filter(name__in=GROUP_NAMES.values())}
    found = _permissions_by_group(Group.objects.filter(pk__in=groups))
    return {role: frozenset(found.get(pk, ())) for pk, role in groups.items()}


def permission_names(user_ids: Sequence[int]) -> list[list[str]]:
    """What each of these users may do, in order; nothing for the missing and inactive."""
    grants, by_role = usable_grants_by_user(user_ids), permissions_by_role()
    everything: set[str] = set()
    if any(each.is_superuser for each in grants.values()):
        rows = Permission.objects.values_list("content_type__app_label", "codename")
        everything = {f"{app}.{code}" for app, code in rows}
    answers: list[list[str]] = []
    for user_id in user_ids:
        if user_id not in grants:
            answers.append([])
            continue
        _, roles, extra, superuser, _ = grants[user_id]
        names = extra.union(everything if superuser else (), *(by_role.get(role, frozenset()) for role in roles))
        answers.append(sorted(names))
    return answers


def _permissions_by_group(groups: Iterable[Group]) -> dict[int, set[str]]:
    ids = [group.pk for group in groups]
    rows = Group.permissions.through.objects.filter(group_id__in=ids).values_list(
        "group_id", "permission__content_type__app_label", "permission__codename"
    )
    found: dict[int, set[str]] = defaultdict(set)
    for group_id, app, code in rows:
        found[group_id].add(f"{app}.{code}")
    return found


def page_groups(*, caller: Caller, request: PageRequest) -> Page[Group]:
    """Roles and the shop's own groups, by name; none for those who may not see groups."""
    return page(visible_groups(caller), BY_NAME, request)


def groups_by_id(ids: Collection[int], *, caller: Caller) -> dict[int, Group]:
    return {group.pk: group for group in visible_groups(caller).filter(pk__in=ids)}


def permissions_by_group(groups: Iterable[Group]) -> dict[int, list[str]]:
    """Group -> what its members may do by it, sorted; those that give nothing are not in it."""
    return {pk: sorted(names) for pk, names in _permissions_by_group(groups).items()}


def members_by_group(groups: Sequence[Group]) -> dict[int, int]:
    """Group -> how many are in it, closed accounts too. Everybody with an account is one of the customers."""
    through = User.groups.through.objects.filter(group_id__in=[group.pk for group in groups])
    found: dict[int, int] = dict(through.values_list("group_id").annotate(Count("pk")))
    for group in groups:
        if ROLE_OF_GROUP.get(group.name) == Role.CUSTOMER:
            found[group.pk] = User.objects.exclude(email__endswith=GONE).count()
    return found


def all_permissions() -> list[tuple[str, str]]:
    """Every permission's name, and what it is in words; by name."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "name")
    return sorted({f"{app}.{code}": words for app, code, words in rows}.items())


def users_by_id(user_ids: Collection[int]) -> dict[int, User]:
    return {user.pk: user for user in User.objects.filter(pk__in=user_ids)}


def page_users(*, caller: Caller, request: PageRequest, search: str = "") -> Page[User]:
    """Everybody with an account whom the caller sees, the newest first.

    Each word of `search` stands somewhere in the email address, username or names. Who has left is not among them.
    """
    if "\x00" in search:
        raise Invalid("NUL characters stand in nothing that could be found.", field=["query"])
    if len(search) > MAX_SEARCH:
        raise Invalid(f"A search has at most {MAX_SEARCH} characters.", field=["query"])
    rows = visible_users(caller).exclude(email__endswith=GONE)
    for word in search.split():
        rows = rows.filter(Q.create([(f"{column}__icontains", word) for column in _SEARCHED], connector=Q.OR))
    return page(rows, NEWEST, request)


def customers_by_user(user_ids: Collection[int]) -> dict[int, Customer]:
    return {each.user_id: each for each in Customer.objects.filter(user_id__in=user_ids)}


def living_sessions(*, caller: Caller) -> list[Session]:
    """The devices that the caller is signed in with, the last used first."""
    if caller.user_id is None:
        return []
    rows = Session.objects.filter(user_id=caller.user_id, revoked_at=None, expires_at__gt=clock.now())
    return list(rows.order_by("-last_used_at", "pk")[:MAX_SESSIONS])
