"""Becoming a customer, and confirming addresses."""

from typing import Any

import pytest
from django.core import mail

from backend.accounts.models import Customer, Session, User
from backend.core import clock
from backend.core.models import OutboxEvent
from backend.notifications.account_texts import ACCOUNT_TEXTS
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.schema.accounts.documents import EMAIL_VERIFY, REGISTER, UPDATE, VERIFY_AGAIN
from tests.schema.accounts.mails import deliver, token_in

HOUR = 60 * 60


def register(gql: Gql, **given: Any) -> Any:
    return gql(REGISTER, input={"email": "ada@example.com", "password": PASSWORD, **given})["userRegister"]


def verify(gql: Gql, token: str) -> Any:
    return gql(EMAIL_VERIFY, token=token)["emailVerify"]


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def faults(payload: Any) -> set[tuple[str, str]]:
    return {(error["code"], error["field"][-1]) for error in payload["userErrors"]}


def test_who_registers_is_signed_in_and_confirms_by_a_mailed_link(gql: Gql) -> None:
    payload = register(gql, email="Ada@Example.com", username="Countess", firstName=" Ada ", phone="+1 415 555 2671")
    assert codes(payload) == []
    assert payload["user"]["email"] == "Ada@Example.com"
    assert payload["user"]["emailVerified"] is False
    user = User.objects.get()
    assert (user.first_name, user.username, user.phone) == ("Ada", "Countess", "+14155552671")
    assert Customer.objects.get().language == "en"
    assert Gql(payload["accessToken"])("{ viewer { id } }")["viewer"] == {"id": payload["user"]["id"]}
    [message] = deliver(twice=True)
    assert message.to == ["Ada@Example.com"]
    assert "text/html" in [kind for _, kind in message.alternatives]
    verified = verify(gql, token_in(message))
    assert verified == {
        "user": {"id": payload["user"]["id"], "email": "Ada@Example.com", "emailVerified": True},
        "userErrors": [],
    }
    assert codes(verify(gql, token_in(message))) == ["TOKEN_INVALID"]


def test_no_token_stands_in_the_outbox(gql: Gql) -> None:
    register(gql)
    assert [(each.topic, each.data) for each in OutboxEvent.objects.order_by("id")] == [
        ("user.registered", {}),
        ("account.mail_due", {"kind": "verify_email"}),
    ]


def test_mails_speak_the_language_of_the_request_and_link_to_the_storefront(gql: Gql, settings: Any) -> None:
    settings.STOREFRONT_VERIFY_URL = "https://shop.example/verify?token={token}"
    document = REGISTER.replace("($input: UserRegisterInput!)", "($input: UserRegisterInput!) @inContext(language: DE)")
    assert codes(gql(document, input={"email": "a@example.com", "password": PASSWORD})["userRegister"]) == []
    [message] = deliver()
    assert message.subject.startswith(ACCOUNT_TEXTS["de"]["verify_email"].subject)
    assert "https://shop.example/verify?token=" in message.body
    assert 'href="https://shop.example/verify?token=' in message.alternatives[0][0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"email": ""}, {("REQUIRED", "email")}),
        ({"email": "nonsense"}, {("INVALID", "email")}),
        ({"email": "a@b.example\nBcc: all@example.com"}, {("INVALID", "email")}),
        ({"email": "a@b.example\r\nSubject: x"}, {("INVALID", "email")}),
        ({"email": "a\x00@b.example"}, {("INVALID", "email")}),
        ({"email": "deleted-1@Deleted.Invalid"}, {("INVALID", "email")}),
        ({"email": "\u212aay@example.com"}, {("INVALID", "email")}),
        ({"email": "ada@\uff45xample.com"}, {("INVALID", "email")}),
        ({"email": "a" * 250 + "@example.com"}, {("INVALID", "email")}),
        ({"email": "TAKEN@example.com"}, {("EMAIL_TAKEN", "email")}),
        ({"username": "Taken"}, {("INVALID", "username")}),
        ({"username": "taken@example.com"}, {("INVALID", "username")}),
        ({"username": "t\u0430ken"}, {("INVALID", "username")}),
        ({"username": "a" * 200}, {("INVALID", "username")}),
        ({"username": "a\x00b"}, {("INVALID", "username")}),
        ({"phone": "call me"}, {("INVALID", "phone")}),
        ({"phone": "1" * 100_000}, {("INVALID", "phone")}),
        ({"firstName": "x" * 151}, {("INVALID", "firstName")}),
        ({"lastName": "a\x00b"}, {("INVALID", "lastName")}),
        ({"lastName": "a\nBcc: b"}, {("INVALID", "lastName")}),
        ({"firstName": "\u202eada"}, {("INVALID", "firstName")}),
        ({"password": ""}, {("PASSWORD_TOO_WEAK", "password")}),
        ({"password": "password"}, {("PASSWORD_TOO_WEAK", "password")}),
        ({"password": "ada@example.com"}, {("PASSWORD_TOO_WEAK", "password")}),
        ({"password": "1234567890123"}, {("PASSWORD_TOO_WEAK", "password")}),
        ({"password": "x" * 1025}, {("INVALID", "password")}),
        ({"password": "x" * 900_000}, {("INVALID", "password")}),
        (
            {"email": "x", "password": "x", "username": "@", "phone": "x", "firstName": "\x00"},
            {
                ("INVALID", "email"),
                ("INVALID", "username"),
                ("INVALID", "phone"),
                ("INVALID", "firstName"),
                ("PASSWORD_TOO_WEAK", "password"),
            },
        ),
    ],
)
def test_what_cannot_be_is_refused_all_at_once_and_leaves_nothing(
    gql: Gql, given: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    make_user("taken@example.com", username="taken")
    payload = register(gql, **given)
    assert payload["accessToken"] is None
    assert faults(payload) == expected
    assert User.objects.count() == 1
    assert not Session.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_registering_twice_is_refused_the_second_time(gql: Gql) -> None:
    assert codes(register(gql)) == []
    assert codes(register(gql, email="ADA@example.com")) == ["EMAIL_TAKEN"]
    assert User.objects.count() == 1


def test_an_email_in_other_letters_is_another_address(gql: Gql) -> None:
    """A Cyrillic domain label beside a Latin one: two addresses to mail servers, two accounts here."""
    make_user("ada@example.com")
    assert codes(register(gql, email="ada@ex\u0430mple.com")) == []
    assert User.objects.count() == 2


@pytest.mark.parametrize("token", ["", "x", "a" * 10_000, "é:\x00", "eyJ1IjoxfQ:bad"])
def test_a_link_that_is_none_is_refused(gql: Gql, token: str) -> None:
    assert codes(verify(gql, token)) == ["TOKEN_INVALID"]


def test_a_link_ends(gql: Gql, settings: Any) -> None:
    register(gql)
    [message] = deliver()
    clock.move_offset(settings.EMAIL_LINK_HOURS * HOUR + 1)
    assert codes(verify(gql, token_in(message))) == ["TOKEN_EXPIRED"]
    assert User.objects.get().email_verified_at is None


def test_a_link_can_be_had_again_but_floods_nobody(gql: Gql) -> None:
    payload = register(gql)
    deliver()
    mine = Gql(payload["accessToken"])
    assert gql(VERIFY_AGAIN).codes == ["UNAUTHENTICATED"]
    sent = 0
    for _ in range(6):
        assert mine(VERIFY_AGAIN)["emailVerificationRequest"]["accepted"] is True
        sent += len(deliver())
    assert sent == 2  # three an hour, the first one counted
    User.objects.update(email_verified_at=clock.now())
    mine(VERIFY_AGAIN)
    assert not OutboxEvent.objects.exists()


# Changing the address -----------------------------------------------------------------------------


def update(gql: Gql, **given: Any) -> Any:
    return gql(UPDATE, input=given)["userUpdate"]


def test_a_new_address_holds_once_its_own_link_is_opened(gql: Gql) -> None:
    user = make_user("old@example.com", email_verified_at=clock.now())
    mine = gql.signed_in(user)
    asked = update(mine, email="new@example.com", currentPassword=PASSWORD)
    assert asked["user"]["email"] == "old@example.com"
    assert asked["user"]["pendingEmail"] == "new@example.com"
    by_address = {message.to[0]: message for message in deliver()}
    assert set(by_address) == {"old@example.com", "new@example.com"}
    assert "old@example.com" not in str(by_address["new@example.com"].message())
    assert codes(verify(gql, token_in(by_address["new@example.com"]))) == []
    user.refresh_from_db()
    assert (user.email, user.pending_email) == ("new@example.com", "")
    [notice] = deliver()
    assert notice.to == ["old@example.com"]


def test_a_new_address_needs_the_password(gql: Gql) -> None:
    mine = gql.signed_in(make_user("old@example.com"))
    for given in ({}, {"currentPassword": "wrong"}, {"currentPassword": ""}):
        refused = update(mine, email="new@example.com", **given)
        assert faults(refused) == {("INVALID_CREDENTIALS", "currentPassword")}
    assert User.objects.get().pending_email == ""
    assert not OutboxEvent.objects.exists()


def test_a_taken_address_cannot_be_taken_over(gql: Gql) -> None:
    """Neither at once nor by asking before its owner comes."""
    make_user("owner@example.com")
    mine = gql.signed_in(make_user("thief@example.com"))
    assert faults(update(mine, email="OWNER@example.com", currentPassword=PASSWORD)) == {("EMAIL_TAKEN", "email")}
    update(mine, email="late@example.com", currentPassword=PASSWORD)
    [link] = [message for message in deliver() if message.to == ["late@example.com"]]
    make_user("Late@example.com")
    assert codes(verify(gql, token_in(link))) == ["EMAIL_TAKEN"]
    assert User.objects.filter(email="thief@example.com").exists()


def test_a_link_to_an_address_that_was_given_up_is_worth_nothing(gql: Gql) -> None:
    mine = gql.signed_in(make_user("old@example.com"))
    update(mine, email="first@example.com", currentPassword=PASSWORD)
    [first] = [message for message in deliver() if message.to == ["first@example.com"]]
    update(mine, email="second@example.com", currentPassword=PASSWORD)
    assert codes(verify(gql, token_in(first))) == ["TOKEN_INVALID"]
    update(mine, email="old@example.com")
    assert User.objects.get().pending_email == ""


def test_a_profile_is_changed_in_parts_or_not_at_all(gql: Gql) -> None:
    user = make_user("ada@example.com", first_name="Ada", last_name="Byron", username="ada")
    mine = gql.signed_in(user)
    changed = update(mine, firstName="Augusta", language="DE")["user"]
    assert (changed["firstName"], changed["lastName"], changed["username"]) == ("Augusta", "Byron", "ada")
    assert changed["customer"] == {"language": "de"}
    refused = update(mine, firstName="Kept?", phone="x", language="FR")
    assert faults(refused) == {("INVALID", "phone"), ("INVALID", "language")}
    user.refresh_from_db()
    assert user.first_name == "Augusta"
    emptied = update(mine, lastName=None, username=None, phone=None, language=None)["user"]
    assert (emptied["lastName"], emptied["username"], emptied["phone"]) == ("", None, None)
    assert faults(update(mine, email=None)) == {("REQUIRED", "email")}
    assert gql(UPDATE, input={"firstName": "Eve"}).codes == ["UNAUTHENTICATED"]
    assert mail.outbox == []
