"""Changing and resetting passwords, leaving, and guessing."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from social_django.models import UserSocialAuth

from backend.accounts.models import Authenticator, SavedAddress, Session, User
from backend.accounts.throttles import SignInTry
from backend.core import clock
from backend.core.caller import Role
from backend.core.models import OutboxEvent
from backend.core.throttle import Throttle, TooManyAttempts, network_of
from backend.notifications.models import SentEmail
from backend.notifications.services import send_order_confirmation
from backend.orders.models import Order, OrderStatus
from backend.orders.personal import forget_departed
from backend.orders.schedule import FORGET_DEPARTED
from backend.payments import personal
from backend.payments.models import GatewayCustomer
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, caller_of, make_customer, make_user
from tests.factories.carts import make_cart
from tests.factories.catalog import make_product
from tests.factories.orders import make_order
from tests.factories.payments import start
from tests.factories.second_factor import give_second_factor
from tests.schema.accounts.documents import (
    DELETE,
    EMAIL_VERIFY,
    EXPORT,
    PASSWORD_CHANGE,
    REFRESH,
    RESET,
    RESET_REQUEST,
    SIGN_IN,
    UPDATE,
)
from tests.schema.accounts.mails import deliver, token_in

NEW = "batt3ry-staple-correct"
WHO = "{ viewer { id } }"


def sign_in(gql: Gql, login: str = "ada@example.com", password: str = PASSWORD) -> Any:
    return gql(SIGN_IN, login=login, password=password)["tokenCreate"]


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def change(gql: Gql, current: str = PASSWORD, new: str = NEW) -> Any:
    return gql(PASSWORD_CHANGE, current=current, new=new)["passwordChange"]


def test_a_changed_password_signs_other_devices_out(gql: Gql) -> None:
    make_user("ada@example.com")
    here, there = sign_in(gql), sign_in(gql)
    assert codes(change(Gql(here["accessToken"]))) == []
    assert Gql(here["accessToken"])(WHO).errors == []
    assert Gql(there["accessToken"])(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(gql(REFRESH, refreshToken=there["refreshToken"])["tokenRefresh"]) == ["TOKEN_INVALID"]
    assert codes(sign_in(gql)) == ["INVALID_CREDENTIALS"]
    assert codes(sign_in(gql, password=NEW)) == []
    [message] = deliver()
    assert message.to == ["ada@example.com"]
    assert codes(change(Gql(here["accessToken"]))) == ["INVALID_CREDENTIALS"]


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("wrong", NEW, "INVALID_CREDENTIALS", "currentPassword"),
        ("wrong", "weak", "INVALID_CREDENTIALS", "currentPassword"),
        (PASSWORD, "weak", "PASSWORD_TOO_WEAK", "newPassword"),
        (PASSWORD, "ada@example.com", "PASSWORD_TOO_WEAK", "newPassword"),
        (PASSWORD, "x" * 2000, "INVALID", "newPassword"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(gql: Gql, current: str, new: str, code: str, field: str) -> None:
    user = make_user("ada@example.com")
    mine = gql.signed_in(user)
    [error] = change(mine, current, new)["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", field])
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert not OutboxEvent.objects.exists()
    assert gql(PASSWORD_CHANGE, current=PASSWORD, new=NEW).codes == ["UNAUTHENTICATED"]


# Resets -------------------------------------------------------------------------------------------


def ask_reset(gql: Gql, email: str) -> Any:
    return gql(RESET_REQUEST, email=email)


def reset(gql: Gql, token: str, new: str = NEW) -> Any:
    return gql(RESET, token=token, new=new)["passwordReset"]


def test_a_reset_sets_the_password_once_and_ends_every_session(gql: Gql) -> None:
    user = make_user("Ada@example.com")
    before = sign_in(gql)
    ask_reset(gql, "ADA@example.com")
    [message] = deliver(twice=True)
    assert message.to == ["Ada@example.com"]
    token = token_in(message)
    assert codes(reset(gql, token, "weak")) == ["PASSWORD_TOO_WEAK"]
    payload = reset(gql, token)
    assert codes(payload) == []
    assert payload["user"]["emailVerified"] is True
    assert Gql(before["accessToken"])(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(gql(REFRESH, refreshToken=before["refreshToken"])["tokenRefresh"]) == ["TOKEN_INVALID"]
    assert Gql(payload["accessToken"])(WHO).errors == []
    assert codes(reset(gql, token, "another-g00d-one")) == ["TOKEN_INVALID"]
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.parametrize("by_mail", [True, False])
def test_a_new_password_voids_the_link_to_a_new_address_that_a_thief_has_asked_for(gql: Gql, by_mail: bool) -> None:
    user = make_user("ada@example.com", email_verified_at=clock.now())
    gql.signed_in(user)(UPDATE, input={"email": "eve@example.com", "currentPassword": PASSWORD})
    [theirs] = [message for message in deliver() if message.to == ["eve@example.com"]]
    if by_mail:
        ask_reset(gql, "ada@example.com")
        assert codes(reset(gql, token_in(deliver()[0]))) == []
    else:
        assert codes(change(gql.signed_in(user))) == []
    assert codes(gql(EMAIL_VERIFY, token=token_in(theirs))["emailVerify"]) == ["TOKEN_INVALID"]
    user.refresh_from_db()
    assert (user.email, user.pending_email) == ("ada@example.com", "")


def test_who_registered_somebody_elses_address_comes_no_more_once_its_owner_has(gql: Gql) -> None:
    """Not by codes to their phone, nor by a provider that they have linked; and their app keeps nobody out."""
    user = make_user("ada@example.com", phone="+14155550100", phone_verified_at=clock.now())
    UserSocialAuth.objects.create(user=user, provider="github", uid="1")
    give_second_factor(user)
    deliver()
    ask_reset(gql, "ada@example.com")
    payload = reset(gql, token_in(deliver()[0]))
    assert codes(payload) == []
    assert payload["accessToken"] is not None
    assert not Authenticator.objects.exists()
    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert user.phone_verified_at is None
    assert not UserSocialAuth.objects.filter(user=user).exists()


def test_who_has_shown_their_address_keeps_their_phone_over_a_reset(gql: Gql) -> None:
    moment = clock.now()
    user = make_user("ada@example.com", email_verified_at=moment, phone="+14155550100", phone_verified_at=moment)
    give_second_factor(user)
    deliver()
    UserSocialAuth.objects.create(user=user, provider="github", uid="1")
    ask_reset(gql, "ada@example.com")
    assert codes(reset(gql, token_in(deliver()[0]))) == []
    user.refresh_from_db()
    assert user.phone_verified_at is not None
    assert UserSocialAuth.objects.filter(user=user).exists()
    assert Authenticator.objects.filter(user=user).exists()


def test_a_reset_never_takes_the_second_factor_of_people_who_do_more_than_buy(gql: Gql) -> None:
    user = make_user("ada@example.com", is_staff=True)
    give_second_factor(user)
    deliver()
    ask_reset(gql, "ada@example.com")
    payload = reset(gql, token_in(deliver()[0]))
    assert (payload["accessToken"], payload["challenge"]["kind"]) == (None, "TOTP")
    assert Authenticator.objects.filter(user=user).exists()


def test_existing_and_missing_addresses_go_the_same_way(gql: Gql) -> None:
    """Same answer, same statements: the address is not even looked for before a worker does."""
    make_user("ada@example.com")
    known, unknown = ask_reset(gql, "ada@example.com"), ask_reset(gql, "nobody@example.com")
    assert known.data == unknown.data == {"passwordResetRequest": {"accepted": True, "userErrors": []}}
    assert known.statements == unknown.statements
    assert [message.to for message in deliver()] == [["ada@example.com"]]


@pytest.mark.parametrize("email", ["", "x", "\x00", "a@b.example\nBcc: c@d.example", "a" * 9999, "ad\u0430@a.example"])
def test_an_address_that_is_none_is_accepted_and_gets_no_mail(gql: Gql, email: str) -> None:
    make_user("ada@example.com")
    assert ask_reset(gql, email)["passwordResetRequest"]["accepted"] is True
    assert deliver() == []


def test_a_look_alike_address_never_gets_the_link(gql: Gql) -> None:
    make_user("mike@example.com")
    for email in ("m\u0131ke@example.com", "mi\u212ae@example.com"):
        ask_reset(gql, email)
    assert {address for message in deliver() for address in message.to} <= {"mike@example.com"}


def test_a_reset_link_ends_soon_and_with_the_address(gql: Gql, settings: Any) -> None:
    user = make_user("ada@example.com")
    ask_reset(gql, "ada@example.com")
    [message] = deliver()
    clock.move_offset(settings.PASSWORD_LINK_MINUTES * 60 + 1)
    assert codes(reset(gql, token_in(message))) == ["TOKEN_EXPIRED"]
    ask_reset(gql, "ada@example.com")
    [message] = deliver()
    User.objects.filter(pk=user.pk).update(email="other@example.com")
    assert codes(reset(gql, token_in(message))) == ["TOKEN_INVALID"]


def test_inactive_people_get_no_link_and_a_mailbox_no_flood(gql: Gql) -> None:
    make_user("off@example.com", is_active=False)
    make_user("ada@example.com")
    ask_reset(gql, "off@example.com")
    assert deliver() == []
    sent = 0
    for _ in range(6):
        assert ask_reset(gql, "ada@example.com")["passwordResetRequest"]["accepted"] is True
        sent += len(deliver())
    assert sent == 3


# Guessing -----------------------------------------------------------------------------------------


def test_who_guesses_is_slowed_down_even_with_the_right_password(gql: Gql) -> None:
    make_user("ada@example.com", username="ada")
    for login in ("ada@example.com", "ADA@example.com", "ada", "ada", "ada"):
        assert codes(sign_in(gql, login, "wrong")) == ["INVALID_CREDENTIALS"]
    [error] = sign_in(gql)["userErrors"]
    assert error["code"] == "TOO_MANY_ATTEMPTS"
    assert "seconds" in error["message"]
    assert not Session.objects.exists()


def test_missing_accounts_are_slowed_down_alike(gql: Gql) -> None:
    for _ in range(5):
        assert codes(sign_in(gql, "nobody@example.com", "wrong")) == ["INVALID_CREDENTIALS"]
    assert codes(sign_in(gql, "Nobody@example.com", "wrong")) == ["TOO_MANY_ATTEMPTS"]


def test_right_passwords_are_not_counted(gql: Gql) -> None:
    make_user("ada@example.com")
    for _ in range(8):
        assert codes(sign_in(gql)) == []


def test_a_stranger_locks_nobody_out(db: None) -> None:
    """A net of addresses guesses one account: the owner still gets in from home, and strangers from nowhere."""
    SignInTry(account="user:1", network="192.0.2.1").succeeded()
    with pytest.raises(TooManyAttempts):
        for number in range(300):
            SignInTry(account="user:1", network=f"198.51.100.{number}")
    SignInTry(account="user:1", network="192.0.2.1")
    SignInTry(account="user:2", network="203.0.113.5")


def test_windows_make_a_delay_that_grows() -> None:
    throttle = Throttle("test", "2/minute;3/hour")
    throttle.take("a", "b")
    throttle.take("a", "b")
    with pytest.raises(TooManyAttempts) as refused:
        throttle.take("a", "b")
    assert 0 < refused.value.data["retry_after_s"] <= 60
    throttle.give_back("a", "b")
    throttle.take("a", "b")
    throttle.take("a", "c")


def test_tries_are_counted_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.exceptions import ConnectionError as Gone

    from backend.core import throttle as module

    def away() -> Any:
        raise Gone

    monkeypatch.setattr(module, "_in_redis", away)
    module._in_process.cache_clear()
    throttle = Throttle("test", "1/minute")
    throttle.take("a")
    throttle.give_back("b")
    with pytest.raises(TooManyAttempts):
        throttle.take("a")


def test_addresses_of_one_household_count_together() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("unknown") == "unknown"


def test_registrations_from_one_address_are_bounded(gql: Gql, settings: Any) -> None:
    from tests.schema.accounts.documents import REGISTER

    settings.REGISTRATIONS_PER_ADDRESS = "1/hour"
    given = {"password": PASSWORD}
    assert codes(gql(REGISTER, input={"email": "a@example.com", **given})["userRegister"]) == []
    assert codes(gql(REGISTER, input={"email": "b@example.com", **given})["userRegister"]) == ["TOO_MANY_ATTEMPTS"]


# Leaving ------------------------------------------------------------------------------------------


def test_who_leaves_is_forgotten_and_the_orders_stay(gql: Gql) -> None:
    user = make_user("ada@example.com", first_name="Ada", phone="+14155552671")
    order = make_order()
    token = order.token
    Order.objects.filter(pk=order.pk).update(customer=user, status=OrderStatus.CANCELLED)
    SavedAddress.objects.create(
        user=user, first_name="Ada", last_name="B", line1="1 Main", country="US", created_at=clock.now(),
        updated_at=clock.now(),
    )  # fmt: skip
    mine = gql.signed_in(user)
    assert gql(DELETE, password=PASSWORD).codes == ["UNAUTHENTICATED"]
    assert codes(mine(DELETE, password="wrong")["userDelete"]) == ["INVALID_CREDENTIALS"]
    assert mine(DELETE, password=PASSWORD)["userDelete"] == {"deleted": True, "userErrors": []}
    assert mine(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(sign_in(gql)) == ["INVALID_CREDENTIALS"]
    left = json.dumps([list(User.objects.values()), list(Order.objects.values())], default=str)
    for gone in ("ada@example.com", order.email, "+14155552671", token):
        assert gone not in left
    order.refresh_from_db()
    assert (order.total > 0, order.customer_id) == (True, user.pk)
    assert not SavedAddress.objects.exists()
    [message] = deliver()
    assert message.to == ["ada@example.com"]
    assert [each.recipient for each in SentEmail.objects.all()] == [""]
    make_user("ada@example.com")


def test_what_delivering_needs_is_forgotten_when_the_order_is_over(gql: Gql) -> None:
    user = make_user("ada@example.com")
    caller = caller_of(user)
    mine, stays = make_order(caller=caller), make_order(caller=make_customer())
    SentEmail.objects.create(
        event_id=uuid4(), kind="order_confirmation", recipient=mine.email, subject="x", sent_at=clock.now()
    )
    assert gql.signed_in(user)(DELETE, password=PASSWORD)["userDelete"]["deleted"] is True
    assert [each.recipient for each in SentEmail.objects.all()] == [""]
    Order.objects.update(status=OrderStatus.PROCESSING)
    assert forget_departed() == 0
    mine.refresh_from_db()
    assert mine.shipping_address is not None
    send_order_confirmation(event_id=uuid4(), order_id=mine.pk)
    assert mail.outbox[-1].to == [mine.email]
    assert not SentEmail.objects.exclude(recipient="").exists()
    Order.objects.update(status=OrderStatus.COMPLETED)
    assert FORGET_DEPARTED.run() == 1
    for order in (mine, stays):
        order.refresh_from_db()
    assert (mine.email, mine.phone, mine.note, mine.shipping_address) == ("", "", "", None)
    assert mine.billing_address is not None
    assert stays.email
    assert forget_departed() == 0


def test_people_without_a_password_have_to_have_just_signed_in(gql: Gql) -> None:
    user = make_user("ada@example.com", password=None)
    mine = gql.signed_in(user)
    leave = "mutation { userDelete(input: {}) { deleted userErrors { code } } }"
    first = "mutation ($new: String!) { passwordChange(input: { newPassword: $new }) { userErrors { code field } } }"
    Session.objects.update(created_at=clock.now() - timedelta(minutes=11))
    assert codes(mine(leave)["userDelete"]) == ["SIGN_IN_AGAIN"]
    assert codes(mine(DELETE, password="")["userDelete"]) == ["SIGN_IN_AGAIN"]
    assert codes(mine(first, new=NEW)["passwordChange"]) == ["SIGN_IN_AGAIN"]
    assert codes(mine(UPDATE, input={"email": "new@example.com"})["userUpdate"]) == ["SIGN_IN_AGAIN"]
    assert codes(mine(UPDATE, input={"email": "ada@example.com"})["userUpdate"]) == []
    user.refresh_from_db()
    assert (user.email, user.pending_email, user.is_active, user.has_usable_password()) == (
        "ada@example.com",
        "",
        True,
        False,
    )
    again = gql.signed_in(user)
    assert again(UPDATE, input={"email": "new@example.com"})["userUpdate"]["user"]["pendingEmail"] == "new@example.com"
    assert codes(again(first, new="weak")["passwordChange"]) == ["PASSWORD_TOO_WEAK"]
    assert codes(again(first, new=NEW)["passwordChange"]) == []
    assert codes(sign_in(gql, password=NEW)) == []
    assert mine(WHO).codes == ["UNAUTHENTICATED"]
    assert codes(again(leave)["userDelete"]) == ["REQUIRED"], "now there is one"
    assert codes(again(first, new=PASSWORD)["passwordChange"]) == ["REQUIRED"]


def test_who_has_no_password_leaves_soon_after_signing_in(gql: Gql) -> None:
    mine = gql.signed_in(make_user("ada@example.com", password=None))
    assert mine("mutation { userDelete(input: {}) { deleted } }")["userDelete"]["deleted"] is True
    assert not User.objects.filter(email="ada@example.com").exists()


def test_the_last_admin_stays(gql: Gql) -> None:
    user = User.objects.create_superuser("root@example.com", PASSWORD)
    mine = gql.signed_in(user)
    assert codes(mine(DELETE, password=PASSWORD)["userDelete"]) == ["INVALID"]
    User.objects.create_superuser("second@example.com", PASSWORD)
    assert mine(DELETE, password=PASSWORD)["userDelete"]["deleted"] is True


def test_everything_known_is_handed_out_to_its_owner_alone(gql: Gql) -> None:
    user = make_user("ada@example.com", first_name="Ada")
    order = make_order()
    Order.objects.filter(pk=order.pk).update(customer=user)
    assert gql(EXPORT).codes == ["UNAUTHENTICATED"]
    data = gql.signed_in(user)(EXPORT)["userDataExport"]["data"]
    assert data["account"]["email"] == "ada@example.com"
    assert [each["number"] for each in data["orders"]] == [order.number]
    assert user.password not in json.dumps(data)
    other = gql.signed_in(make_user())(EXPORT)["userDataExport"]["data"]
    assert (other["orders"], other["carts"], other["payments"]) == ([], [], {"payments": [], "gateways": []})


def test_all_that_stands_about_somebody_is_in_it_however_much(gql: Gql) -> None:
    user = make_user("ada@example.com", role=Role.SUPPORT)
    mine, caller = gql.signed_in(user), caller_of(user)
    variants = [make_product(f"Chair {number}", stock=50).variants.get() for number in range(6)]
    make_cart((variants[0], 2), caller=caller)
    start(make_order((variants[0], 1), caller=caller))
    GatewayCustomer.objects.create(user=user, gateway="stripe", reference="cus_1")
    mine(WHO)  # its session is known from here on
    few = mine(EXPORT)
    data = few["userDataExport"]["data"]
    [cart] = data["carts"]
    assert cart["lines"] == [{"sku": variants[0].sku, "name": "Chair 0", "quantity": 2}]
    assert [each["state"] for each in data["payments"]["payments"]]
    assert [each["reference"] for each in data["payments"]["gateways"]] == ["cus_1"]
    assert data["orders"][0]["events"]
    assert data["account"]["roles"] == ["Support"]
    make_cart(*((variant, 1) for variant in variants[1:]), caller=caller)  # into the same one
    for variant in variants[1:]:
        make_order((variant, 1), caller=caller)
    assert mine(EXPORT).statements == few.statements
    personal.PAYMENTS.erase(user.pk)
    assert not GatewayCustomer.objects.exists()
