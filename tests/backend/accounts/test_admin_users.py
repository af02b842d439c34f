"""The admin's pages of people."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.core import clock
from backend.core.caller import Role
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True, password=None))
    return client


def change(admin: Client, user: User, **given: str) -> Any:
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


def test_nobody_is_deleted_here(admin: Client) -> None:
    user = make_user("ada@example.com", password=None)
    assert admin.get(f"{LIST}{user.pk}/delete/").status_code == 403
    assert "Delete user" not in admin.get(f"{LIST}{user.pk}/change/").content.decode()
