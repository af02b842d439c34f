"""Staying signed in, signing out, and thieves."""

from typing import Any

import pytest
from django.core.cache import cache

from backend.accounts import services
from backend.accounts.models import RefreshToken, Session
from backend.core import clock
from backend.core.caller import Caller, Role
from backend.core.errors import NotFound
from backend.core.models import OutboxEvent
from schema.server import callers, persisted_store
from schema.server.callers import KNOWN_S
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.schema.accounts.documents import REFRESH, REVOKE, REVOKE_ALL, REVOKE_SESSION, SESSIONS, SIGN_IN, VIEWER

WHO = "{ viewer { id } }"


@pytest.fixture
def payload(gql: Gql) -> Any:
    """What Ada got when she signed in."""
    make_user("ada@example.com")
    return gql(SIGN_IN, login="ada@example.com", password=PASSWORD)["tokenCreate"]


def refresh(gql: Gql, token: str) -> Any:
    return gql(REFRESH, refreshToken=token)["tokenRefresh"]


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def test_a_refresh_token_gives_the_next_one(gql: Gql, payload: Any) -> None:
    following = refresh(gql, payload["refreshToken"])
    assert codes(following) == []
    assert following["refreshToken"] != payload["refreshToken"]
    assert following["user"] == payload["user"]
    assert Gql(following["accessToken"])(WHO)["viewer"]["id"] == payload["user"]["id"]
    assert refresh(gql, following["refreshToken"])["refreshToken"] != following["refreshToken"]
    assert Session.objects.count() == 1


def test_the_same_token_again_at_once_gives_the_same_successor(gql: Gql, payload: Any) -> None:
    first, second = (refresh(gql, payload["refreshToken"]) for _ in range(2))
    assert first["refreshToken"] == second["refreshToken"]
    assert RefreshToken.objects.count() == 2


def test_a_token_spent_long_ago_ends_the_session_and_is_told(gql: Gql, payload: Any, settings: Any) -> None:
    following = refresh(gql, payload["refreshToken"])
    clock.move_offset(settings.REFRESH_GRACE_S + 1)
    assert codes(refresh(gql, payload["refreshToken"])) == ["TOKEN_INVALID"]
    assert codes(refresh(gql, following["refreshToken"])) == ["TOKEN_INVALID"]
    for access in (payload["accessToken"], following["accessToken"]):
        assert Gql(access)(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(refresh(gql, payload["refreshToken"])) == ["TOKEN_INVALID"]
    [event] = OutboxEvent.objects.filter(topic="session.token_reused")
    assert event.data == {"user_id": Session.objects.get().user_id}


def test_a_thief_elsewhere_ends_one_device_only(gql: Gql, payload: Any, settings: Any) -> None:
    other = gql(SIGN_IN, login="ada@example.com", password=PASSWORD)["tokenCreate"]
    refresh(gql, payload["refreshToken"])
    clock.move_offset(settings.REFRESH_GRACE_S + 1)
    refresh(gql, payload["refreshToken"])
    assert codes(refresh(gql, other["refreshToken"])) == []


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "\x00", "a" * 100_000])
def test_a_refresh_token_that_is_none_is_refused(gql: Gql, token: str) -> None:
    assert codes(refresh(gql, token)) == ["TOKEN_INVALID" if token else "REQUIRED"]


def test_an_access_token_does_not_refresh_nor_a_refresh_token_open(gql: Gql, payload: Any) -> None:
    assert codes(refresh(gql, payload["accessToken"])) == ["TOKEN_INVALID"]
    assert Gql(payload["refreshToken"])(WHO).codes == ["UNAUTHENTICATED"]


def test_who_does_not_come_back_for_thirty_days_signs_in_again(gql: Gql, payload: Any, settings: Any) -> None:
    day = 24 * 60 * 60
    clock.move_offset((settings.REFRESH_TOKEN_DAYS - 1) * day)
    following = refresh(gql, payload["refreshToken"])
    clock.move_offset((settings.REFRESH_TOKEN_DAYS - 1) * day)
    following = refresh(gql, following["refreshToken"])
    assert codes(following) == []
    clock.move_offset(settings.REFRESH_TOKEN_DAYS * day)
    assert codes(refresh(gql, following["refreshToken"])) == ["TOKEN_EXPIRED"]
    assert services.delete_old_sessions() == 0
    clock.move_offset(31 * day)
    services.delete_old_sessions()
    assert not RefreshToken.objects.exists()


def test_an_expired_access_token_is_told_apart_and_refreshing_goes_on(gql: Gql, payload: Any, settings: Any) -> None:
    clock.move_offset(settings.ACCESS_TOKEN_MINUTES * 60 + settings.TOKEN_LEEWAY_S + 1)
    mine = Gql(payload["accessToken"])
    for document in (WHO, "{ shop { name } }", "mutation { cartCreate(input: {}) { cart { id } } }"):
        answer = mine(document)
        assert answer.codes == ["UNAUTHENTICATED"]
        assert answer.errors[0]["extensions"]["reason"] == "TOKEN_EXPIRED"
        assert answer.data is None
    assert codes(refresh(mine, payload["refreshToken"])) == []
    mixed = "mutation ($t: String) { tokenRefresh(input: {refreshToken: $t}) { accessToken } cartCreate(input: {}) "
    assert mine(mixed + "{ cart { id } } }", t="x").codes == ["UNAUTHENTICATED"]


def test_signing_out_ends_both_tokens_at_once(gql: Gql, payload: Any) -> None:
    mine = Gql(payload["accessToken"])
    assert mine(WHO).errors == []
    assert gql(REVOKE, refreshToken=payload["refreshToken"])["tokenRevoke"] == {"revoked": True, "userErrors": []}
    assert mine(WHO).codes == ["UNAUTHENTICATED"]
    assert mine(WHO).errors[0]["extensions"]["reason"] == "TOKEN_INVALID"
    assert codes(refresh(gql, payload["refreshToken"])) == ["TOKEN_INVALID"]
    assert gql(REVOKE, refreshToken=payload["refreshToken"])["tokenRevoke"] == {"revoked": False, "userErrors": []}


def test_signing_out_by_the_access_token_alone(gql: Gql, payload: Any) -> None:
    mine = Gql(payload["accessToken"])
    assert mine(REVOKE)["tokenRevoke"]["revoked"] is True
    assert mine(WHO).codes == ["UNAUTHENTICATED"]
    assert mine(REVOKE)["tokenRevoke"] == {"revoked": False, "userErrors": []}
    assert gql(REVOKE)["tokenRevoke"]["userErrors"][0]["code"] == "REQUIRED"


def test_an_access_token_whose_time_is_over_signs_nobody_out_and_says_so(gql: Gql, payload: Any, settings: Any) -> None:
    clock.move_offset(settings.ACCESS_TOKEN_MINUTES * 60 + settings.TOKEN_LEEWAY_S + 1)
    assert codes(Gql(payload["accessToken"])(REVOKE)["tokenRevoke"]) == ["TOKEN_EXPIRED"]
    assert codes(refresh(gql, payload["refreshToken"])) == []


def test_signing_out_everywhere_leaves_others_alone(gql: Gql, payload: Any) -> None:
    second = gql(SIGN_IN, login="ada@example.com", password=PASSWORD)["tokenCreate"]
    stranger = gql.signed_in(make_user())
    assert gql(REVOKE_ALL).codes == ["UNAUTHENTICATED"]
    assert Gql(payload["accessToken"])(REVOKE_ALL)["tokenRevokeAll"]["revoked"] is True
    for each in (payload, second):
        assert Gql(each["accessToken"])(WHO).codes == ["UNAUTHENTICATED"]
        assert codes(refresh(gql, each["refreshToken"])) == ["TOKEN_INVALID"]
    assert stranger(WHO).errors == []


def test_devices_are_listed_and_signed_out_one_by_one(gql: Gql, payload: Any) -> None:
    gql(SIGN_IN, login="ada@example.com", password=PASSWORD)
    mine = Gql(payload["accessToken"])
    devices = mine(SESSIONS)["viewer"]["sessions"]
    assert [each["current"] for each in devices] == [False, True]
    assert all(each["userAgent"].startswith("python-httpx") for each in devices)
    stranger = gql.signed_in(make_user())
    for door in (stranger, mine):
        refused = door(REVOKE_SESSION, id="nonsense")["sessionRevoke"]
        assert codes(refused) == ["NOT_FOUND"]
    assert codes(stranger(REVOKE_SESSION, id=devices[0]["id"])["sessionRevoke"]) == ["NOT_FOUND"]
    assert mine(REVOKE_SESSION, id=devices[0]["id"])["sessionRevoke"] == {"revoked": True, "userErrors": []}
    assert mine(REVOKE_SESSION, id=devices[0]["id"])["sessionRevoke"]["revoked"] is False
    assert [each["id"] for each in mine(SESSIONS)["viewer"]["sessions"]] == [devices[1]["id"]]
    assert gql(REVOKE_SESSION, id=devices[0]["id"]).codes == ["UNAUTHENTICATED"]


def test_as_many_statements_for_one_device_as_for_twenty(gql: Gql) -> None:
    user = make_user()
    mine = gql.signed_in(user)
    mine(WHO)
    few = mine(SESSIONS).statements
    for _ in range(19):
        services.open_session(user=user)
    many = mine(SESSIONS)
    assert len(many["viewer"]["sessions"]) == 20
    assert many.statements == few


def test_a_guest_ends_nobodys_session(gql: Gql, payload: Any) -> None:
    with pytest.raises(NotFound):
        services.revoke_session(caller=Caller(), session_id=Session.objects.get().pk)
    assert Session.objects.get().revoked_at is None


# What a process believes ---------------------------------------------------------------------------


def test_another_process_sees_the_end_within_a_second(gql: Gql, payload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere: nobody empties this process's memory, but its second is over."""
    mine = Gql(payload["accessToken"])
    assert mine(WHO).errors == []
    services.revoke_by_refresh_token(refresh_token=payload["refreshToken"])
    later = callers.time.monotonic() + KNOWN_S
    monkeypatch.setattr(callers.time, "monotonic", lambda: later)
    assert KNOWN_S <= 1
    assert mine(WHO).codes == ["UNAUTHENTICATED"]


def test_a_session_asked_about_again_costs_no_statement(gql: Gql, payload: Any) -> None:
    mine = Gql(payload["accessToken"])
    mine(WHO)
    callers.forget()
    callers._process.permissions_until = float("inf")
    assert mine(WHO).statements == 0


def test_what_redis_forgot_postgres_knows(gql: Gql, payload: Any) -> None:
    services.revoke_by_refresh_token(refresh_token=payload["refreshToken"])
    cache.delete(f"session:{Session.objects.get().pk.hex}")
    callers.forget()
    assert Gql(payload["accessToken"])(WHO).codes == ["UNAUTHENTICATED"]


def test_while_redis_is_away_customers_are_asked_about_in_postgres_and_staff_are_refused(
    gql: Gql, payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise persisted_store.Away

    staff = gql.signed_in(make_user(role=Role.SUPPORT))
    monkeypatch.setattr(persisted_store.store, "ask", away)
    mine = Gql(payload["accessToken"])
    assert mine(WHO).errors == []
    refused = staff(WHO)
    assert refused.codes == ["UNAUTHENTICATED"]
    assert refused.errors[0]["extensions"]["reason"] == "UNAVAILABLE"
    services.revoke_by_refresh_token(refresh_token=payload["refreshToken"])
    callers.forget()
    assert mine(WHO).codes == ["UNAUTHENTICATED"]


def test_new_roles_hold_for_tokens_that_are_out(gql: Gql) -> None:
    from django.contrib.auth.models import Group

    user = make_user()
    mine = gql.signed_in(user)
    assert mine(VIEWER)["viewer"]["roles"] == ["CUSTOMER"]
    user.groups.add(Group.objects.get(name="Support"))
    services.rights_changed([user.pk])
    callers.forget()
    assert mine(VIEWER)["viewer"]["roles"] == ["CUSTOMER", "SUPPORT"]


def test_who_is_made_inactive_is_signed_out(gql: Gql) -> None:
    user = make_user()
    tokens = services.open_session(user=user)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    services.rights_changed([user.pk])
    assert Gql(tokens.access)(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(refresh(gql, tokens.refresh)) == ["TOKEN_INVALID"]
