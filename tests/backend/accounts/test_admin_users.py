"""The admin's pages of people."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.accounts import services
from backend.accounts.admin import PasswordForm, UserChangeForm
from backend.accounts.errors import TokenInvalid
from backend.accounts.links import EMAIL_LINK
from backend.accounts.models import Authenticator, User
from backend.core import clock
from backend.core.caller import Role
from backend.vendors.models import VendorStatus
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.vendors import make_vendor

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True, password=None))
    return client


def change(admin: Client, user: User, **given: Any) -> Any:
    form = {"email": user.email, "username": user.username or "", "phone": user.phone, "is_active": "on"}
    return admin.post(f"{LIST}{user.pk}/change/", {**form, **given})


def test_the_list_tells_look_alikes_apart_and_who_is_what(admin: Client) -> None:
    make_user("admin@example.com", role=Role.ORDER_MANAGER, password=None)
    make_user("admin@\u0435xample.com", password=None)
    make_user("a" * 60 + "@example.com", first_name="<b>Ada", password=None)
    shown = admin.get(LIST).content.decode()
    assert "Order managers" in shown
    assert "admin@\\u0435xample.com" in shown
    assert "a" * 60 not in shown
    assert "<b>Ada" not in shown


def test_the_list_costs_as_much_for_many(admin: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as counted:
            admin.get(LIST)
        return len(counted)

    for each in range(2):
        make_user(f"{each}@example.com", role=Role.SUPPORT, password=None)
    few = statements()
    for each in range(2, 20):
        make_user(f"{each}@example.com", role=Role.SUPPORT, password=None)
    assert statements() == few


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"email": "ROOT@example.com"}, "There is an account with this email address."),
        ({"email": "\u212aelvin@example.com"}, "This email address cannot be used."),
        ({"email": "deleted-1@deleted.invalid"}, "This email address cannot be used."),
        ({"username": "root@example.com"}, "A username has 2 to 150 letters"),
    ],
)
def test_what_staff_type_is_checked_as_what_people_type(admin: Client, given: dict[str, str], told: str) -> None:
    user = make_user("ada@example.com", password=None)
    answer = change(admin, user, **given)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    if "email" in given:
        new = {**given, "password1": "batt3ry-staple-correct", "password2": "batt3ry-staple-correct"}
        assert told in admin.post(f"{LIST}add/", new).content.decode()
    user.refresh_from_db()
    assert (user.email, user.username) == ("ada@example.com", None)


def test_an_address_that_staff_typed_has_to_be_confirmed(admin: Client) -> None:
    moment = clock.now()
    user = make_user("ada@example.com", email_verified_at=moment, pending_email="eve@example.com", password=None)
    assert change(admin, user, first_name="Ada").status_code == 302
    user.refresh_from_db()
    assert (user.email_verified_at, user.pending_email) == (moment, "eve@example.com")
    assert change(admin, user, email="ada@new.example").status_code == 302
    user.refresh_from_db()
    assert (user.email, user.email_verified_at, user.pending_email) == ("ada@new.example", None, "")


@pytest.fixture
def manager(client: Client) -> Client:
    """Somebody who was given people and groups in the admin, and no more."""
    user = make_user("manager@example.com", is_staff=True, password=None)
    codes = [f"{action}_{kind}" for action in ("view", "add", "change", "delete") for kind in ("user", "group")]
    user.user_permissions.add(*Permission.objects.filter(codename__in=[*codes, "delete_authenticator"]))
    client.force_login(user)
    return client


def test_who_may_edit_people_gives_nobody_rights(manager: Client) -> None:
    """Themselves least of all."""
    me, other = User.objects.get(email="manager@example.com"), make_user("ada@example.com", password=None)
    admins = Group.objects.get(name="Admins")
    permission = Permission.objects.get(codename="change_order")
    rights: Any = {"is_superuser": "on", "is_staff": "on", "groups": admins.pk, "user_permissions": permission.pk}
    for user in (me, other):
        before = (user.is_superuser, user.is_staff, set(user.user_permissions.all()))
        assert change(manager, user, first_name="New", **rights).status_code == 302
        user.refresh_from_db()
        assert user.first_name == "New"
        assert (user.is_superuser, user.is_staff, set(user.user_permissions.all())) == before
        assert not user.groups.exists()


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("right", ["superuser", "role", "permission"])
def test_nobody_edits_an_account_that_may_do_more(manager: Client, right: str, active: bool) -> None:
    role = Role.ORDER_MANAGER if right == "role" else None
    boss = make_user("boss@example.com", role=role, is_superuser=right == "superuser", is_active=active)
    if right == "permission":
        boss.user_permissions.add(Permission.objects.get(codename="change_order"))
    assert change(manager, boss, email="mine@example.com").status_code == 403
    typed = {"password1": "batt3ry-staple-correct", "password2": "batt3ry-staple-correct", "usable_password": "true"}
    assert manager.post(f"{LIST}{boss.pk}/password/", typed).status_code == 403
    app = Authenticator.objects.create(user=boss, confirmed=True, sealed_key="x", created_at=clock.now())
    assert manager.post(f"/admin/accounts/authenticator/{app.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.refresh_from_db()
    assert (boss.email, boss.check_password(PASSWORD), boss.first_name) == ("boss@example.com", True, "")
    assert Authenticator.objects.exists()


def test_who_may_do_the_same_may_edit_it(manager: Client) -> None:
    peer = make_user("peer@example.com", is_staff=True, password=None)
    peer.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert change(manager, peer, first_name="New").status_code == 302
    typed = {"password1": "batt3ry-staple-correct", "password2": "batt3ry-staple-correct", "usable_password": "true"}
    assert manager.post(f"{LIST}{peer.pk}/password/", typed).status_code == 302
    peer.refresh_from_db()
    assert peer.check_password("batt3ry-staple-correct")


def test_a_group_gives_no_more_than_its_editor_has(manager: Client) -> None:
    mine, beyond = (Permission.objects.get(codename=code) for code in ("change_user", "change_order"))
    interns = Group.objects.create(name="Interns")
    page = f"/admin/auth/group/{interns.pk}/change/"
    answer = manager.post(page, {"name": "Interns", "permissions": [mine.pk, beyond.pk]})
    assert "You may not give or take" in answer.content.decode()
    assert not interns.permissions.exists()
    assert manager.post(page, {"name": "Interns", "permissions": [mine.pk]}).status_code == 302
    assert list(interns.permissions.all()) == [mine]
    interns.permissions.add(beyond)
    assert manager.post(page, {"name": "Interns", "permissions": []}).status_code == 403
    assert manager.post(f"/admin/auth/group/{interns.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_password_that_staff_set_ends_what_the_old_one_allowed(admin: Client) -> None:
    """Whoever knew it may have asked for the account's mails to come to them."""
    user = make_user("ada@example.com", pending_email="eve@example.com", email_verified_at=clock.now())
    link, session = EMAIL_LINK.token(user), services.open_session(user=user).session
    typed = {"password1": "batt3ry-staple-correct", "password2": "batt3ry-staple-correct", "usable_password": "true"}
    assert admin.post(f"{LIST}{user.pk}/password/", typed).status_code == 302
    with pytest.raises(TokenInvalid):
        services.verify_email(token=link)
    user.refresh_from_db()
    session.refresh_from_db()
    assert (user.email, user.pending_email) == ("ada@example.com", "")
    assert session.revoked_at is not None


@pytest.mark.parametrize("page", ["change", "password"])
def test_nothing_comes_back_that_was_changed_elsewhere_meanwhile(
    admin: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("ada@example.com", first_name="Ada", password=None)
    form = UserChangeForm if page == "change" else PasswordForm
    clean = form.clean

    def slow(self: Any) -> Any:
        User.objects.filter(pk=user.pk).update(password="new", last_name="Lovelace", rights_version=7)
        return clean(self)

    monkeypatch.setattr(form, "clean", slow)
    typed = {"password1": "batt3ry-staple-correct", "password2": "batt3ry-staple-correct", "usable_password": "true"}
    if page == "change":
        typed = {"email": user.email, "is_active": "on", "first_name": "Augusta"}
    assert admin.post(f"{LIST}{user.pk}/{page}/", typed).status_code == 302
    user.refresh_from_db()
    assert user.rights_version >= 7
    assert (user.password == "new") is (page == "change")
    assert user.first_name == ("Augusta" if page == "change" else "Ada")
    assert user.last_name == "Lovelace"


def test_roles_are_neither_renamed_nor_deleted(admin: Client) -> None:
    role = Group.objects.get(name="Admins")
    page = f"/admin/auth/group/{role.pk}"
    shown = admin.get(f"{page}/change/").content.decode()
    assert shown.index(">Name<") < shown.index('name="permissions"')
    everything = list(role.permissions.values_list("pk", flat=True))
    assert admin.post(f"{page}/change/", {"name": "Gone", "permissions": everything}).status_code == 302
    assert admin.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    admin.post("/admin/auth/group/", chosen)
    assert Group.objects.filter(name="Admins").exists()
    other = Group.objects.create(name="Interns")
    assert admin.post(f"/admin/auth/group/{other.pk}/delete/", {"post": "yes"}).status_code == 302


def test_groups_are_checked_here_as_in_graphql(admin: Client) -> None:
    group = Group.objects.create(name="Interns")
    page = f"/admin/auth/group/{group.pk}/change/"
    for name, words in (("ADMINS", "There is a group"), ("night SHIFT", "There is a group"), ("a\u202eb", "Control")):
        Group.objects.get_or_create(name="Night shift")
        for url in (page, "/admin/auth/group/add/"):
            assert words in admin.post(url, {"name": name, "permissions": []}).content.decode()
    assert admin.post(page, {"name": "INTERNS", "permissions": []}).status_code == 302
    admins = Group.objects.get(name="Admins")
    kept = admins.permissions.exclude(codename="assign_roles").values_list("pk", flat=True)
    answer = admin.post(f"/admin/auth/group/{admins.pk}/change/", {"permissions": list(kept)})
    assert "accounts.assign_roles" in answer.content.decode()
    assert admins.permissions.filter(codename="assign_roles").exists()


@pytest.mark.parametrize("listed", [True, False])
def test_whose_group_is_deleted_here_loses_its_rights_at_once(admin: Client, listed: bool) -> None:
    user, group = make_user(password=None), Group.objects.create(name="Interns")
    group.user_set.add(user)
    chosen = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    url = "/admin/auth/group/" if listed else f"/admin/auth/group/{group.pk}/delete/"
    assert admin.post(url, chosen).status_code == 302
    assert not Group.objects.filter(pk=group.pk).exists()
    user.refresh_from_db()
    assert user.rights_version == 2


def test_the_last_admin_stays_one(admin: Client) -> None:
    root = User.objects.get()
    for given in ({}, {"is_superuser": "on"}):  # without the rights, and inactive
        form = {"email": root.email, "username": "", "phone": "", **given}
        assert "last admin" in admin.post(f"{LIST}{root.pk}/change/", form).content.decode()
    root.refresh_from_db()
    assert root.is_active
    assert root.is_superuser


def test_a_vendor_sells_no_more_when_its_last_owner_is_made_inactive(admin: Client) -> None:
    owner = make_user("owner@example.com", password=None)
    vendor = make_vendor(owner=owner)
    change(admin, owner, first_name="Ada")
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.APPROVED
    change(admin, owner, is_active="")
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.SUSPENDED


def test_nobody_is_deleted_here(admin: Client) -> None:
    user = make_user("ada@example.com", password=None)
    chosen = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    admin.post(LIST, chosen)
    assert User.objects.filter(pk=user.pk).exists()
    assert admin.get(f"{LIST}{user.pk}/delete/").status_code == 403
    assert "Delete user" not in admin.get(f"{LIST}{user.pk}/change/").content.decode()
