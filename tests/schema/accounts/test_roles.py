"""Giving roles: what holds from then on, and who may give which."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError

from backend.accounts import services
from backend.accounts.admin import UserChangeForm
from backend.accounts.errors import Forbidden
from backend.accounts.models import User
from backend.accounts.queries import grants_by_user
from backend.core.caller import Caller, Role
from backend.core.errors import Invalid
from backend.core.ids import encode
from backend.core.models import OutboxEvent
from tests.conftest import Gql
from tests.factories.accounts import make_user

SET = """mutation ($userId: ID!, $roles: [Role!]!) { userRolesSet(input: { userId: $userId, roles: $roles }) {
  user { id roles permissions } userErrors { code message field } } }"""
CUSTOMERS = "{ customers { totalCount } }"


@pytest.fixture
def admin(db: None) -> User:
    return make_user("root@example.com", role=Role.ADMIN)


def roles_of(user: User) -> set[str]:
    return set(grants_by_user([user.pk])[user.pk].roles)


def told() -> list[dict[str, Any]]:
    return [event.data for event in OutboxEvent.objects.filter(topic="user.roles_changed").order_by("pk")]


def test_roles_hold_at_once_without_signing_in_again(gql: Gql, admin: User) -> None:
    user = make_user()
    their = gql.signed_in(user)
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]
    answer = gql.signed_in(admin)(SET, userId=encode("User", user.pk), roles=["SUPPORT", "CUSTOMER"])
    shown = answer["userRolesSet"]["user"]
    assert shown["roles"] == ["CUSTOMER", "SUPPORT"]
    assert "accounts.view_user" in shown["permissions"]
    assert their(CUSTOMERS)["customers"]["totalCount"] == 2
    gql.signed_in(admin)(SET, userId=encode("User", user.pk), roles=[])
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]
    assert told() == [
        {"by": admin.pk, "given": ["SUPPORT"], "taken": []},
        {"by": admin.pk, "given": [], "taken": ["SUPPORT"]},
    ]


def test_setting_the_same_roles_again_changes_nothing(gql: Gql, admin: User) -> None:
    user = make_user(role=Role.SUPPORT)
    version = user.rights_version
    answer = gql.signed_in(admin)(SET, userId=encode("User", user.pk), roles=["SUPPORT"])
    assert answer["userRolesSet"]["userErrors"] == []
    user.refresh_from_db()
    assert (user.rights_version, told()) == (version, [])


@pytest.mark.parametrize("role", [None, *(each for each in Role if each not in (Role.CUSTOMER, Role.ADMIN))])
def test_nobody_but_admins_gives_roles(gql: Gql, admin: User, role: Role | None) -> None:
    somebody = make_user(role=role)
    answer = gql.signed_in(somebody)(SET, userId=encode("User", somebody.pk), roles=["ADMIN"])
    assert answer.codes == ["FORBIDDEN"]
    assert gql(SET, userId=encode("User", somebody.pk), roles=["ADMIN"]).codes == ["UNAUTHENTICATED"]
    assert Role.ADMIN not in roles_of(somebody)


def test_nobody_gives_or_takes_more_than_they_have(gql: Gql, admin: User) -> None:
    """Somebody of support whom an admin lets give roles."""
    helper, user = make_user(role=Role.SUPPORT), make_user()
    helper.user_permissions.add(Permission.objects.get(codename="assign_roles"))
    ask = gql.signed_in(helper)
    for roles in (["ADMIN"], ["SUPPORT", "PRODUCT_MANAGER"]):
        error = ask(SET, userId=encode("User", user.pk), roles=roles)["userRolesSet"]["userErrors"]
        assert [each["code"] for each in error] == ["FORBIDDEN"]
    assert gql.signed_in(helper).refused(SET, userId=encode("User", admin.pk), roles=[])["code"] == "FORBIDDEN"
    assert (roles_of(user), told()) == ({Role.CUSTOMER}, [])
    assert Role.ADMIN in roles_of(admin)
    assert ask(SET, userId=encode("User", user.pk), roles=["SUPPORT"])["userRolesSet"]["userErrors"] == []


def test_what_a_caller_may_is_looked_at_anew(admin: User) -> None:
    """Two admins who demote each other: the second is none any more when it is their turn."""
    other = make_user(role=Role.ADMIN)
    may = frozenset({"accounts.assign_roles", "accounts.view_user"})
    services.set_roles(caller=Caller(admin.pk, permissions=may), user_id=other.pk, roles=[])
    with pytest.raises(Forbidden):
        services.set_roles(caller=Caller(other.pk, permissions=may), user_id=admin.pk, roles=[])
    assert Role.ADMIN in roles_of(admin)


def test_the_last_admin_stays_one(gql: Gql, admin: User) -> None:
    make_user(role=Role.ADMIN, is_active=False)
    ask = gql.signed_in(admin)
    error = ask.refused(SET, userId=encode("User", admin.pk), roles=["SUPPORT"])
    assert (error["code"], error["field"]) == ("INVALID", ["input", "roles"])
    assert roles_of(admin) == {Role.CUSTOMER, Role.ADMIN}
    make_user(role=Role.ADMIN)
    assert ask(SET, userId=encode("User", admin.pk), roles=["SUPPORT"])["userRolesSet"]["userErrors"] == []
    assert roles_of(admin) == {Role.CUSTOMER, Role.SUPPORT}


def test_a_superuser_is_no_less_by_this(gql: Gql, admin: User) -> None:
    root = make_user(is_superuser=True)
    assert gql.signed_in(admin).refused(SET, userId=encode("User", root.pk), roles=[])["code"] == "INVALID"


@pytest.mark.parametrize("user_id", ["", "nonsense", encode("User", 0), encode("User", 2**62), encode("Cart", 1)])
def test_ids_that_name_nobody_are_not_found(gql: Gql, admin: User, user_id: str) -> None:
    error = gql.signed_in(admin).refused(SET, userId=user_id, roles=["SUPPORT"])
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "userId"])


def test_whoever_loses_the_last_role_of_staff_no_longer_opens_the_admins_pages(gql: Gql, admin: User) -> None:
    user = make_user(role=Role.SUPPORT, is_staff=True)
    ask = gql.signed_in(admin)
    ask(SET, userId=encode("User", user.pk), roles=["ORDER_MANAGER"])
    user.refresh_from_db()
    assert user.is_staff
    ask(SET, userId=encode("User", user.pk), roles=["VENDOR"])
    user.refresh_from_db()
    assert not user.is_staff


def test_the_last_admin_cannot_leave_nor_be_taken_in_the_admins_pages(admin: User) -> None:
    with pytest.raises(Invalid):
        services.check_may_leave(admin)
    form = UserChangeForm(instance=admin)
    form.cleaned_data = {"is_active": True, "is_superuser": False, "groups": Group.objects.none()}
    with pytest.raises(ValidationError):
        form.clean()
    make_user(role=Role.ADMIN)
    services.check_may_leave(admin)
    form.clean()
