"""Codes by email and SMS: for whom, how often, how long, and once."""

from datetime import timedelta
from typing import Any

import pytest

from backend.accounts import services
from backend.accounts.models import Challenge, Session, User
from backend.core import clock
from backend.core.models import OutboxEvent
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.factories.carts import make_cart
from tests.factories.catalog import make_product
from tests.schema.accounts import phones
from tests.schema.accounts.documents import ANSWER, OTP, PASSWORD_CHANGE, PHONE_REQUEST, PHONE_VERIFY, UPDATE
from tests.schema.accounts.mails import deliver
from tests.schema.accounts.phones import code_in

EMAIL, PHONE = "ada@example.com", "+14155552671"
NEW = "batt3ry-staple-correct"


@pytest.fixture(autouse=True)
def sms(settings: Any) -> list[tuple[str, str]]:
    settings.SMS_SENDER = "tests.schema.accounts.phones.Phones"
    phones.SENT.clear()
    return phones.SENT


@pytest.fixture
def ada(db: None) -> User:
    return make_user(EMAIL, phone=PHONE, email_verified_at=clock.now(), phone_verified_at=clock.now())


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def request(gql: Gql, destination: str = EMAIL, **given: Any) -> Any:
    return gql(OTP, destination=destination, **given)["otpRequest"]


def begin(gql: Gql, destination: str = EMAIL, **given: Any) -> tuple[str, str]:
    """A challenge and its code, as it was mailed."""
    challenge = request(gql, destination, **given)["challenge"]
    [message] = deliver()
    return challenge["id"], code_in(message.body)


def answer(gql: Gql, challenge: str, code: str) -> Any:
    return gql(ANSWER, challengeId=challenge, code=code)["tokenChallengeAnswer"]


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_mailed_code_signs_in_once(gql: Gql, ada: User) -> None:
    challenge = request(gql, "ADA@example.com")
    assert challenge["userErrors"] == []
    assert challenge["challenge"]["kind"] == "OTP"
    [message] = deliver(twice=True)
    assert message.to == [EMAIL]
    assert "text/html" in [kind for _, kind in message.alternatives]
    payload = answer(gql, challenge["challenge"]["id"], code_in(message.body))
    assert codes(payload) == []
    assert payload["user"]["email"] == EMAIL
    assert Gql(payload["accessToken"])("{ viewer { id } }").errors == []
    again = answer(gql, challenge["challenge"]["id"], code_in(message.body))
    assert codes(again) == ["CODE_INVALID"]
    assert again["accessToken"] is None
    assert Session.objects.count() == 1


def test_a_code_by_sms_signs_in_in_ones_own_language(gql: Gql, ada: User, sms: list[tuple[str, str]]) -> None:
    ada.customer.language = "de"
    ada.customer.save()
    challenge = request(gql, "(415) 555-2671")["challenge"]  # read as a number of the context's country
    assert deliver() == []
    [(to, text)] = sms
    assert to == PHONE
    assert "Dein Code" in text
    assert codes(answer(gql, challenge["id"], code_in(text))) == []


def test_codes_stand_nowhere_readable(gql: Gql, ada: User) -> None:
    challenge = request(gql)["challenge"]
    assert [(each.topic, each.data) for each in OutboxEvent.objects.all()] == [("code.requested", {})]
    [message] = deliver()
    row = Challenge.objects.get()
    assert code_in(message.body) not in str(vars(row))
    assert len(row.code_hash) == 64
    assert challenge["id"] == encode("Challenge", row.pk)
    assert gql("query ($id: ID!) { node(id: $id) { id } }", id=challenge["id"]).data["node"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"email_verified_at": None, "phone_verified_at": None},
        {"is_active": False},
    ],
)
def test_who_has_not_verified_it_gets_no_code(
    gql: Gql, ada: User, fields: dict[str, Any], sms: list[tuple[str, str]]
) -> None:
    User.objects.filter(pk=ada.pk).update(**(fields or {"email": "x@example.com", "phone": ""}))
    for destination in (EMAIL, PHONE):
        challenge = request(gql, destination)["challenge"]
        assert deliver() == []
        assert sms == []
        assert codes(answer(gql, challenge["id"], "000000")) == ["CODE_INVALID"]
        assert codes(answer(gql, challenge["id"], "")) == ["CODE_INVALID"]
    assert not Session.objects.exists()


def test_existing_and_missing_destinations_go_the_same_way(gql: Gql, ada: User) -> None:
    """Same answers and same statements, when a code is asked for and when it is answered wrongly."""
    asked = [gql(OTP, destination=each) for each in (EMAIL, "nobody@example.com")]
    [message] = deliver()
    wrong = other(code_in(message.body))
    answered = [gql(ANSWER, challengeId=each["otpRequest"]["challenge"]["id"], code=wrong).statements for each in asked]
    assert asked[0].statements == asked[1].statements
    assert answered[0] == answered[1]
    shapes = [{**each["otpRequest"], "challenge": each["otpRequest"]["challenge"].keys()} for each in asked]
    assert shapes[0] == shapes[1]


def test_five_wrong_answers_end_a_challenge(gql: Gql, ada: User) -> None:
    challenge, code = begin(gql)
    for _ in range(5):
        assert codes(answer(gql, challenge, other(code))) == ["CODE_INVALID"]
    assert codes(answer(gql, challenge, code)) == ["TOO_MANY_ATTEMPTS"]
    assert Challenge.objects.get().tries == 5
    assert not Session.objects.exists()


def test_the_fifth_try_may_be_right(gql: Gql, ada: User) -> None:
    challenge, code = begin(gql)
    for _ in range(4):
        answer(gql, challenge, other(code))
    assert codes(answer(gql, challenge, f" {code[:3]} {code[3:]} ")) == []


def test_a_code_dies_after_its_time(gql: Gql, ada: User) -> None:
    challenge, code = begin(gql)
    clock.move_offset(5 * 60 + 1)
    [error] = answer(gql, challenge, code)["userErrors"]
    assert (error["code"], error["field"]) == ("TOKEN_EXPIRED", ["input", "challengeId"])
    assert services.delete_old_challenges() == 0
    clock.move_offset(24 * 60 * 60)
    assert services.delete_old_challenges() == 1


def test_a_code_that_comes_too_late_is_not_sent(gql: Gql, ada: User) -> None:
    request(gql)
    clock.move_offset(5 * 60 + 1)
    assert deliver() == []


@pytest.mark.parametrize(
    "code", ["", "x" * 100_000, "\x00", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345", "é" * 6, "-12345"]
)
@pytest.mark.parametrize("known", [True, False])
def test_answers_that_are_none_are_refused(gql: Gql, ada: User, code: str, known: bool) -> None:
    challenge = begin(gql)[0] if known else encode("Challenge", "no uuid")
    [error] = answer(gql, challenge, code)["userErrors"]
    assert error["code"] == "CODE_INVALID"
    assert error["field"] == ["input", "code" if known else "challengeId"]


@pytest.mark.parametrize("challenge", ["", "x", "\x00", "a" * 10_000, encode("User", "1"), encode("Challenge", "1")])
def test_challenges_that_are_none_are_refused(gql: Gql, challenge: str) -> None:
    assert codes(answer(gql, challenge, "123456")) == ["CODE_INVALID"]


@pytest.mark.parametrize(
    ("destination", "code"),
    [
        ("", "REQUIRED"),
        ("  ", "REQUIRED"),
        ("nobody", "INVALID"),
        ("12", "INVALID"),
        ("1" * 10_000, "INVALID"),
        ("\x00", "INVALID"),
        ("a@b", "INVALID"),
        ("a@b.example\nBcc: c@d.example", "INVALID"),
        ("mi\u212ae@example.com", "INVALID"),
    ],
)
def test_what_is_no_destination_is_refused(gql: Gql, destination: str, code: str) -> None:
    [error] = request(gql, destination)["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", "destination"])
    assert not Challenge.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_a_look_alike_address_gets_nothing(gql: Gql) -> None:
    make_user("mike@example.com", email_verified_at=clock.now())
    assert codes(request(gql, "m\u0131ke@example.com")) in ([], ["INVALID"])
    assert deliver() == []


def test_codes_are_not_asked_for_without_end(gql: Gql, ada: User, settings: Any) -> None:
    settings.CODES_PER_DESTINATION = "2/minute"
    settings.CODES_PER_ADDRESS = "3/minute"
    assert codes(request(gql)) == codes(request(gql, "Ada@Example.com")) == []
    assert codes(request(gql)) == ["TOO_MANY_ATTEMPTS"]
    assert codes(request(gql, "b@example.com")) == []
    assert codes(request(gql, "c@example.com")) == ["TOO_MANY_ATTEMPTS"]
    assert Challenge.objects.count() == 3


def test_a_shop_without_sms_says_so(gql: Gql, settings: Any) -> None:
    settings.SMS_SENDER = ""
    assert codes(request(gql, PHONE)) == ["INVALID"]
    assert codes(request(gql, EMAIL)) == []


def test_a_message_that_could_not_be_sent_is_sent_again(gql: Gql, ada: User, settings: Any) -> None:
    challenge = request(gql, PHONE)["challenge"]
    event = OutboxEvent.objects.get()
    settings.SMS_SENDER = "tests.schema.accounts.phones.OutOfReach"
    with pytest.raises(ConnectionError):
        deliver()
    assert OutboxEvent.objects.get() == event
    settings.SMS_SENDER = "tests.schema.accounts.phones.Phones"
    deliver()
    [(_, text)] = phones.SENT
    assert codes(answer(gql, challenge["id"], code_in(text))) == []


def test_a_changed_password_or_address_ends_what_was_begun(gql: Gql, ada: User) -> None:
    challenge, code = begin(gql)
    User.objects.filter(pk=ada.pk).update(email="new@example.com")
    assert codes(answer(gql, challenge, code)) == ["CODE_INVALID"]
    User.objects.filter(pk=ada.pk).update(email=EMAIL)
    changed = gql.signed_in(ada)(PASSWORD_CHANGE, current="corr3ct-horse-battery", new=NEW)["passwordChange"]
    assert codes(changed) == []
    assert codes(answer(gql, challenge, code)) == ["CODE_INVALID"]


def test_a_guests_cart_is_merged_when_the_code_is_answered(gql: Gql, ada: User) -> None:
    cart = make_cart((make_product(stock=5).variants.get(), 2))
    challenge, code = begin(gql, cartId=encode("Cart", cart.pk))
    assert answer(gql, challenge, other(code))["cartMerge"] is None
    merged = answer(gql, challenge, code)["cartMerge"]
    assert [each["outcome"] for each in merged["outcomes"]] == ["MOVED"]


@pytest.mark.parametrize("cart", ["", "x", "\x00", "é", "a" * 10_000])
def test_a_cart_that_is_none_costs_nobody_their_code(gql: Gql, ada: User, cart: str) -> None:
    challenge, code = begin(gql, cartId=cart)
    payload = answer(gql, challenge, code)
    assert codes(payload) == []
    assert payload["cartMerge"] is None


# Whose number it is ---------------------------------------------------------------------------------


def ask_phone(gql: Gql) -> Any:
    return gql(PHONE_REQUEST)["phoneVerificationRequest"]


def verify_phone(gql: Gql, challenge: str, code: str) -> Any:
    return gql(PHONE_VERIFY, challengeId=challenge, code=code)["phoneVerify"]


def test_a_number_is_believed_by_its_code_and_belongs_to_who_showed_it_last(
    gql: Gql, ada: User, sms: list[tuple[str, str]]
) -> None:
    newer = make_user(phone=PHONE)
    mine = gql.signed_in(newer)
    challenge = ask_phone(mine)["challenge"]
    deliver()
    code = code_in(sms[0][1])
    assert codes(verify_phone(gql.signed_in(ada), challenge["id"], code)) == ["CODE_INVALID"]
    assert codes(answer(gql, challenge["id"], code)) == ["CODE_INVALID"]
    assert codes(verify_phone(mine, challenge["id"], other(code))) == ["CODE_INVALID"]
    assert verify_phone(mine, challenge["id"], code)["user"]["phoneVerified"] is True
    assert codes(verify_phone(mine, challenge["id"], code)) == ["CODE_INVALID"]
    ada.refresh_from_db()
    assert ada.phone_verified_at is None
    assert gql(PHONE_REQUEST).codes == gql(PHONE_VERIFY, challengeId="x", code="x").codes == ["UNAUTHENTICATED"]


def test_a_stolen_session_makes_no_phone_a_way_in(gql: Gql, sms: list[tuple[str, str]]) -> None:
    """It may change the number; what opens the account asks for more, and its owner hears of it."""
    eve = make_user("eve@example.com", phone=PHONE)
    mine = gql.signed_in(eve)
    challenge = ask_phone(mine)["challenge"]
    deliver()
    Session.objects.update(created_at=clock.now() - timedelta(minutes=11))
    assert codes(ask_phone(mine)) == ["SIGN_IN_AGAIN"]
    code = code_in(sms[0][1])
    assert codes(verify_phone(mine, challenge["id"], code)) == ["SIGN_IN_AGAIN"]
    eve.refresh_from_db()
    assert (eve.phone_verified_at, deliver()) == (None, [])
    assert codes(verify_phone(gql.signed_in(eve), challenge["id"], code)) == []
    [told] = deliver()
    assert told.to == ["eve@example.com"]
    assert "new way to sign in" in told.subject


def test_a_new_number_has_to_be_shown_anew(gql: Gql, ada: User) -> None:
    mine = gql.signed_in(ada)
    assert codes(mine(UPDATE, input={"phone": "+1 415 555 2671"})["userUpdate"]) == []
    ada.refresh_from_db()
    assert ada.phone_verified_at is not None
    assert codes(mine(UPDATE, input={"phone": "+14155552672"})["userUpdate"]) == []
    ada.refresh_from_db()
    assert ada.phone_verified_at is None


def test_a_code_for_a_number_is_for_that_number(gql: Gql, ada: User, sms: list[tuple[str, str]]) -> None:
    mine = gql.signed_in(ada)
    challenge = ask_phone(mine)["challenge"]
    deliver()
    mine(UPDATE, input={"phone": "+14155552672"})
    assert codes(verify_phone(mine, challenge["id"], code_in(sms[0][1]))) == ["CODE_INVALID"]
    mine(UPDATE, input={"phone": None})
    assert codes(ask_phone(mine)) == ["REQUIRED"]
