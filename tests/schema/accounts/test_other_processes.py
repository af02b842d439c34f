"""What other processes see of changed rights within a second, by the marks in Redis."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django_redis import get_redis_connection

from backend.accounts import marks, queries, services
from backend.accounts.models import User
from backend.accounts.queries import permission_names
from backend.accounts.roles import GROUP_NAMES
from backend.accounts.services import GroupChange
from backend.core.caller import Caller, Role
from schema.server import callers
from schema.server.callers import KNOWN_S
from tests.conftest import Gql
from tests.factories.accounts import caller_of, make_user
from tests.schema.accounts.documents import REFRESH, VIEWER

CUSTOMERS = "{ customers { totalCount } }"
SEE_PEOPLE = "accounts.view_user"


@pytest.fixture
def admin(db: None) -> Caller:
    return Caller(make_user(role=Role.ADMIN, password=None).pk, permissions=frozenset({"auth.view_group"}))


@pytest.fixture
def a_second_later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Elsewhere: nobody empties this process's memory, but its second is over."""

    def pass_on() -> None:
        now = callers.time.monotonic() + KNOWN_S
        monkeypatch.setattr(callers.time, "monotonic", lambda: now)

    return pass_on


def support() -> Group:
    return Group.objects.get(name=GROUP_NAMES[Role.SUPPORT])


def test_what_a_role_may_do(gql: Gql, admin: Caller, a_second_later: Any) -> None:
    helper = make_user(role=Role.SUPPORT, password=None)
    their, [held] = gql.signed_in(helper), permission_names([helper.pk])
    assert their(CUSTOMERS).errors == []
    less = GroupChange(permissions=[each for each in held if each != SEE_PEOPLE])
    services.update_group(caller=admin, group_id=support().pk, change=less)
    a_second_later()
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]
    services.update_group(caller=admin, group_id=support().pk, change=GroupChange(permissions=held))
    a_second_later()
    assert their(CUSTOMERS).errors == []


def test_what_a_role_may_do_by_the_admins_pages(
    gql: Gql, client: Client, a_second_later: Any, django_capture_on_commit_callbacks: Any
) -> None:
    their = gql.signed_in(make_user(role=Role.SUPPORT, password=None))
    assert their(CUSTOMERS).errors == []
    client.force_login(make_user(is_staff=True, is_superuser=True, password=None))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/admin/auth/group/{support().pk}/change/", {"permissions": []})
    assert answer.status_code == 302
    a_second_later()
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]


def test_what_a_role_may_do_while_redis_cannot_be_told(
    gql: Gql, a_second_later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    their = gql.signed_in(make_user(role=Role.SUPPORT, password=None))
    assert their(CUSTOMERS).errors == []
    support().permissions.clear()
    for _ in range(5):
        a_second_later()
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]


def test_members_of_the_shops_own_groups(gql: Gql, a_second_later: Any) -> None:
    admin = caller_of(make_user(role=Role.ADMIN, password=None))
    admin = Caller(admin.user_id, permissions=frozenset({"auth.view_group", SEE_PEOPLE}))
    user = make_user(password=None)
    mine = gql.signed_in(user)
    assert mine(CUSTOMERS).codes == ["FORBIDDEN"]
    group = services.create_group(caller=admin, name="Night shift", permissions=[SEE_PEOPLE])
    services.update_group(caller=admin, group_id=group.pk, change=GroupChange(add=[user.pk]))
    a_second_later()
    assert mine(CUSTOMERS).errors == []
    services.delete_group(caller=admin, group_id=group.pk)
    a_second_later()
    assert mine(CUSTOMERS).codes == ["FORBIDDEN"]


def test_whoever_may_do_very_much_still_has_a_token_that_is_taken(gql: Gql, a_second_later: Any) -> None:
    """Given to them alone, or by a group of the shop's own: not all of it can stand in a token."""
    user = make_user(password=None)
    group = Group.objects.create(name="Everything")
    group.permissions.set(Permission.objects.all())
    group.user_set.add(user)
    tokens = services.open_session(user=user)
    assert len(tokens.access) < 1000
    mine = Gql(tokens.access)
    assert len(mine(VIEWER)["viewer"]["permissions"]) == Permission.objects.count()
    assert mine(CUSTOMERS).errors == []
    assert gql(REFRESH, refreshToken=tokens.refresh)["tokenRefresh"]["userErrors"] == []
    group.permissions.clear()
    services.rights_changed([user.pk])
    a_second_later()
    assert mine(CUSTOMERS).codes == ["FORBIDDEN"]


def test_a_mark_that_is_written_late_covers_neither_an_end_nor_a_newer_one() -> None:
    """By whoever has looked, or changed something, before."""
    session, redis = uuid4(), get_redis_connection("default")
    key = marks.key_of(session)
    marks.tell_rights({session: 10})
    marks.tell_rights({session: 9})
    assert redis.get(key) == b"10"
    marks.tell_ended([session])
    marks.tell_rights({session: 11})
    assert redis.get(key) == marks.ENDED
    redis.delete(key)
    marks.tell_rights({session: 12})
    assert redis.get(key) == b"12"


def test_who_reads_late_that_a_session_lives_does_not_cover_its_end(gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends between what PostgreSQL said and what Redis is told."""
    user = make_user(password=None)
    mine = gql.signed_in(user)
    found = queries.session_state

    def slow(session_id: Any) -> Any:
        state = found(session_id)
        services.revoke_all_sessions(user_id=user.pk)
        return state

    monkeypatch.setattr(queries, "session_state", slow)
    mine("{ viewer { id } }")
    callers.forget()
    assert mine("{ viewer { id } }").codes == ["UNAUTHENTICATED"]
    assert User.objects.get().sessions.filter(revoked_at=None).count() == 0
