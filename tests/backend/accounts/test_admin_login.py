"""Signing in to the admin: both factors, and no more tries than elsewhere."""

from typing import Any

import pytest
from django.test import Client

from backend.accounts.models import Authenticator, RecoveryCode
from backend.core.caller import Role
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.second_factor import code_of, give_second_factor

pytestmark = pytest.mark.django_db
EMAIL = "staff@example.com"


def sign_in(client: Client, password: str = PASSWORD, **given: str) -> Any:
    return client.post("/admin/login/?next=/admin/", {"username": EMAIL, "password": password, **given})


def test_one_factor_is_enough_without_a_second(client: Client) -> None:
    make_user(EMAIL, is_staff=True)
    assert 'form="login-form"' in client.get("/admin/login/").content.decode()
    assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client).status_code == 302


def test_a_second_factor_is_asked_for_here_too(client: Client) -> None:
    user = make_user(EMAIL, is_staff=True)
    recovery = give_second_factor(user)
    for code in ("", "000000x", recovery[0] + "x"):
        answer = sign_in(client, code=code)
        assert answer.status_code == 200
        assert "_auth_user_id" not in client.session
    code = code_of(user)
    assert sign_in(client, "wrong", code=code).status_code == 200  # and the code is not used up
    assert sign_in(client, code=code).status_code == 302
    client.logout()
    assert sign_in(client, code=code).status_code == 200
    assert sign_in(client, code=recovery[0]).status_code == 302


def test_a_role_that_needs_one_does_not_come_in_without(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["SUPPORT"]
    make_user(EMAIL, is_staff=True, role=Role.SUPPORT)
    answer = sign_in(client)
    assert answer.status_code == 200
    assert "asks for a second factor" in answer.content.decode()


def test_tries_are_counted(client: Client, settings: Any) -> None:
    settings.LOGIN_TRIES = "3/minute"
    make_user(EMAIL, is_staff=True)
    for _ in range(3):
        sign_in(client, "wrong")
    answer = sign_in(client)
    assert answer.status_code == 200
    assert "Too many tries" in answer.content.decode()


def test_staff_who_may_take_a_lost_factor_away(client: Client) -> None:
    user = make_user()
    give_second_factor(user)
    app = Authenticator.objects.get()
    url = f"/admin/accounts/authenticator/{app.pk}/delete/"
    client.force_login(make_user(is_staff=True, role=Role.SUPPORT))
    assert client.post(url, {"post": "yes"}).status_code == 403
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
