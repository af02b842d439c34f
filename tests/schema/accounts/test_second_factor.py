"""An authenticator app as a second factor, recovery codes, and roles that must have one."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django_otp.oath import TOTP

from backend.accounts import services
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Authenticator, RecoveryCode, Session, User
from backend.core import clock
from backend.core.caller import Role
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.carts import make_cart
from tests.factories.catalog import make_product
from tests.factories.second_factor import challenge_of, code_of, give_second_factor
from tests.schema.accounts.documents import (
    ANSWER,
    DELETE,
    FACTOR_CONFIRM,
    FACTOR_DISABLE,
    FACTOR_ENABLE,
    OTP,
    RECOVERY_RENEW,
    RESET,
    REVOKE_ALL,
    SESSIONS,
    SIGN_IN,
    SIGN_IN_WITH_CART,
    VIEWER,
)
from tests.schema.accounts.mails import deliver
from tests.schema.accounts.phones import code_in

EMAIL = "ada@example.com"
CUSTOMERS = "{ customers { totalCount } }"


@pytest.fixture
def ada(db: None) -> User:
    return make_user(EMAIL, email_verified_at=clock.now())


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def sign_in(gql: Gql) -> Any:
    return gql(SIGN_IN, login=EMAIL, password=PASSWORD)["tokenCreate"]


def answer(gql: Gql, challenge: Any, code: str) -> Any:
    given = challenge if isinstance(challenge, str) else challenge["challenge"]["id"]
    return gql(ANSWER, challengeId=given, code=code)["tokenChallengeAnswer"]


def enable(gql: Gql) -> Any:
    return gql(FACTOR_ENABLE)["twoFactorEnable"]


def confirm(gql: Gql, code: str) -> Any:
    return gql(FACTOR_CONFIRM, code=code)["twoFactorConfirm"]


def disable(gql: Gql, code: str) -> Any:
    return gql(FACTOR_DISABLE, code=code)["twoFactorDisable"]


def wrong(user: User) -> str:
    """A code that no step near now has."""
    near = {code_of(user, ahead=step) for step in range(-2, 3)}
    return next(code for code in (f"{n:06d}" for n in range(10)) if code not in near)


def next_step() -> None:
    clock.move_offset(Authenticator.STEP_S)


# Enabling -------------------------------------------------------------------------------------------


def test_a_stolen_session_keeps_the_owner_out_by_no_second_factor(gql: Gql, ada: User) -> None:
    mine = gql.signed_in(ada)
    assert codes(enable(mine)) == []
    deliver()
    Session.objects.update(created_at=clock.now() - timedelta(minutes=11))
    assert codes(enable(mine)) == codes(confirm(mine, code_of(ada))) == ["SIGN_IN_AGAIN"]
    assert deliver() == []
    assert codes(confirm(gql.signed_in(ada), code_of(ada))) == []


def test_an_app_that_knows_the_secret_enables_it(gql: Gql, ada: User, settings: Any) -> None:
    mine = gql.signed_in(ada)
    begun = enable(mine)
    uri = urlsplit(begun["otpauthUri"])
    given = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == f"/{settings.SHOP_NAME}:{EMAIL}"
    assert given["secret"] == [begun["secret"]]
    assert given["issuer"] == [settings.SHOP_NAME]
    assert mine(VIEWER)["viewer"]["twoFactorEnabled"] is False
    assert sign_in(gql)["accessToken"] is not None  # not before it is confirmed
    app = TOTP(base64.b32decode(begun["secret"]))
    app.time = clock.now().timestamp()
    confirmed = confirm(mine, f"{app.token():06d}")
    assert codes(confirmed) == []
    assert len(set(confirmed["recoveryCodes"])) == 10
    assert mine(VIEWER)["viewer"]["twoFactorEnabled"] is True
    assert [message.subject.partition(" - ")[0] for message in deliver()] == ["A second factor was enabled"]


def test_nothing_stands_readable(gql: Gql, ada: User) -> None:
    begun = enable(gql.signed_in(ada))
    recovery = confirm(gql.signed_in(ada), code_of(ada))["recoveryCodes"]
    stored = str(list(Authenticator.objects.values())) + str(list(RecoveryCode.objects.values()))
    key = base64.b32decode(begun["secret"])
    for secret in (begun["secret"], key.hex(), *recovery, *(each.replace("-", "") for each in recovery)):
        assert secret not in stored


def test_enabling_again_before_confirming_replaces_the_secret(gql: Gql, ada: User) -> None:
    mine = gql.signed_in(ada)
    first = enable(mine)["secret"]
    old = code_of(ada)
    assert enable(mine)["secret"] != first
    assert codes(confirm(mine, old)) == ["CODE_INVALID"]
    assert codes(confirm(mine, code_of(ada))) == []
    assert codes(enable(mine)) == ["INVALID"]
    next_step()
    assert codes(confirm(mine, code_of(ada))) == ["INVALID"]


def test_what_is_not_ones_own_or_no_code_confirms_nothing(gql: Gql, ada: User) -> None:
    mine, other = gql.signed_in(ada), make_user()
    assert codes(confirm(mine, "123456")) == ["INVALID"]
    enable(mine)
    enable(gql.signed_in(other))
    for code in ("", "x", "\x00", "1" * 100_000, code_of(other), "\uff11" * 6, wrong(ada)):
        assert codes(confirm(mine, code)) == ["CODE_INVALID"]
    assert not Authenticator.objects.filter(confirmed=True).exists()
    assert not RecoveryCode.objects.exists()
    for document in (FACTOR_ENABLE, FACTOR_CONFIRM, FACTOR_DISABLE):
        given = {} if document is FACTOR_ENABLE else {"code": "123456"}
        assert gql(document, **given).codes == ["UNAUTHENTICATED"]


# Signing in -----------------------------------------------------------------------------------------


def test_signing_in_takes_both_factors(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    challenged = sign_in(gql)
    assert codes(challenged) == []
    assert challenged["challenge"]["kind"] == "TOTP"
    assert (challenged["accessToken"], challenged["refreshToken"], challenged["user"]) == (None, None, None)
    assert not Session.objects.exists()
    assert codes(answer(gql, challenged, wrong(ada))) == ["CODE_INVALID"]
    payload = answer(gql, challenged, code_of(ada))
    assert codes(payload) == []
    assert Gql(payload["accessToken"])(VIEWER)["viewer"]["email"] == EMAIL
    assert codes(answer(gql, challenged, code_of(ada, ahead=1))) == ["CODE_INVALID"]
    assert Session.objects.count() == 1


def test_a_wrong_password_never_tells_of_the_second_factor(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    refused = gql(SIGN_IN, login=EMAIL, password="wrong")["tokenCreate"]
    assert (codes(refused), refused["challenge"]) == (["INVALID_CREDENTIALS"], None)


def test_a_code_of_a_time_step_is_taken_once(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    code = code_of(ada)
    assert codes(answer(gql, sign_in(gql), code)) == []
    assert codes(answer(gql, sign_in(gql), code)) == ["CODE_INVALID"]
    assert codes(answer(gql, sign_in(gql), code_of(ada, ahead=-1))) == ["CODE_INVALID"]  # nor one from before it
    assert codes(disable(gql.signed_in(ada), code)) == ["CODE_INVALID"]
    next_step()
    assert codes(answer(gql, sign_in(gql), code_of(ada))) == []


@pytest.mark.parametrize(("ahead", "taken"), [(-2, False), (0, True), (1, True), (2, False)])
def test_an_apps_clock_may_be_one_step_off(gql: Gql, ada: User, ahead: int, taken: bool) -> None:
    give_second_factor(ada)
    payload = answer(gql, challenge_of(ada), code_of(ada, ahead=ahead))
    assert codes(payload) == ([] if taken else ["CODE_INVALID"])


def test_a_recovery_code_opens_once_however_it_is_typed(gql: Gql, ada: User) -> None:
    first, second, *_ = give_second_factor(ada)
    deliver()
    assert codes(answer(gql, sign_in(gql), first.lower().replace("-", " "))) == []
    [message] = deliver()
    assert message.subject.startswith("A recovery code was used")
    assert codes(answer(gql, sign_in(gql), first)) == ["CODE_INVALID"]
    assert codes(answer(gql, sign_in(gql), second)) == []
    assert RecoveryCode.objects.count() == 8


def test_recovery_codes_are_ones_own(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    theirs = give_second_factor(make_user())
    assert codes(answer(gql, sign_in(gql), theirs[0])) == ["CODE_INVALID"]
    assert RecoveryCode.objects.count() == 20


def test_tries_are_bounded_over_all_challenges_and_right_ones_do_not_count(gql: Gql, ada: User, settings: Any) -> None:
    settings.SECOND_FACTOR_TRIES = "4/minute"
    recovery = give_second_factor(ada)
    for code in recovery[:5]:
        assert codes(answer(gql, challenge_of(ada), code)) == []
    for _ in range(4):
        assert codes(answer(gql, challenge_of(ada), wrong(ada))) == ["CODE_INVALID"]
    assert codes(answer(gql, challenge_of(ada), code_of(ada))) == ["TOO_MANY_ATTEMPTS"]
    assert codes(disable(gql.signed_in(ada), code_of(ada))) == ["TOO_MANY_ATTEMPTS"]
    assert Authenticator.objects.filter(confirmed=True).exists()


def test_a_password_reset_asks_for_the_second_factor_too(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    before = challenge_of(ada)
    payload = gql(RESET, token=PASSWORD_LINK.token(ada), new="batt3ry-staple-correct")["passwordReset"]
    assert payload["challenge"]["kind"] == "TOTP"
    assert payload["accessToken"] is None
    assert codes(answer(gql, before, code_of(ada))) == ["CODE_INVALID"]  # begun with the former password
    assert codes(answer(gql, payload, code_of(ada))) == []


def test_a_mailed_code_is_followed_by_the_second_factor_and_the_cart_comes_last(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    deliver()
    cart = encode("Cart", make_cart((make_product(stock=5).variants.get(), 2)).pk)
    first = gql(OTP, destination=EMAIL, cartId=cart)["otpRequest"]
    [message] = deliver()
    second = answer(gql, first, code_in(message.body))
    assert (second["challenge"]["kind"], second["accessToken"], second["cartMerge"]) == ("TOTP", None, None)
    payload = answer(gql, second, code_of(ada))
    assert [each["outcome"] for each in payload["cartMerge"]["outcomes"]] == ["MOVED"]


def test_a_guests_cart_waits_for_the_challenge(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    cart = make_cart((make_product(stock=5).variants.get(), 2))
    given = {"login": EMAIL, "password": PASSWORD, "cartId": encode("Cart", cart.pk)}
    challenged = gql(SIGN_IN_WITH_CART, **given)["tokenCreate"]
    cart.refresh_from_db()
    assert (challenged["cartMerge"], cart.customer_id) == (None, None)
    payload = answer(gql, challenged, code_of(ada))
    assert [each["outcome"] for each in payload["cartMerge"]["outcomes"]] == ["MOVED"]


def test_signing_out_everywhere_ends_what_was_begun(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    challenged = sign_in(gql)
    assert gql.signed_in(ada)(REVOKE_ALL).errors == []
    assert codes(answer(gql, challenged, code_of(ada))) == ["CODE_INVALID"]


def test_somebody_who_is_off_gets_no_further(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    challenged = sign_in(gql)
    User.objects.update(is_active=False)
    assert codes(answer(gql, challenged, code_of(ada))) == ["CODE_INVALID"]
    assert not Session.objects.exists()


def test_a_new_secret_key_reads_what_the_former_one_sealed(gql: Gql, ada: User, settings: Any) -> None:
    recovery = give_second_factor(ada)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    assert codes(answer(gql, challenge_of(ada), code_of(ada))) == []
    settings.SECRET_KEY_FALLBACKS = []  # sealed anew at that sign-in
    next_step()
    assert codes(answer(gql, challenge_of(ada), code_of(ada))) == []
    settings.SECRET_KEY = "another" * 10
    assert codes(answer(gql, challenge_of(ada), "123456")) == ["CODE_INVALID"]
    assert codes(answer(gql, challenge_of(ada), recovery[0])) == []


def test_all_are_sealed_anew_before_a_former_key_is_dropped(gql: Gql, ada: User, settings: Any) -> None:
    give_second_factor(ada)
    give_second_factor(make_user())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    assert services.reseal_second_factors() == (2, 0)
    settings.SECRET_KEY_FALLBACKS = []
    assert codes(answer(gql, challenge_of(ada), code_of(ada))) == []
    settings.SECRET_KEY = "another" * 10
    assert services.reseal_second_factors() == (0, 2)


# Disabling ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_app", [True, False])
def test_a_code_disables_it(gql: Gql, ada: User, by_app: bool) -> None:
    mine = gql.signed_in(ada)
    assert codes(disable(mine, "123456")) == ["INVALID"]
    recovery = give_second_factor(ada)
    deliver()
    for code in ("", "x", "\x00", "1" * 10_000, wrong(ada)):
        assert codes(disable(mine, code)) == ["CODE_INVALID"]
    challenged = sign_in(gql)
    assert codes(disable(mine, code_of(ada) if by_app else recovery[0])) == []
    assert "The second factor was disabled" in [message.subject.partition(" - ")[0] for message in deliver()]
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert codes(answer(gql, challenged, recovery[1])) == ["CODE_INVALID"]
    assert sign_in(gql)["accessToken"] is not None


def test_who_leaves_leaves_no_factor(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    assert gql.signed_in(ada)(DELETE, password=PASSWORD)["userDelete"]["deleted"] is True
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_many_people_are_asked_for_in_one_statement(gql: Gql, ada: User) -> None:
    ask = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User { twoFactorEnabled phoneVerified } } }"
    people = [make_user(password=None) for _ in range(5)]
    give_second_factor(people[0])
    staff = gql.signed_in(make_user(role=Role.SUPPORT))
    staff(ask, ids=[])
    few, many = (staff(ask, ids=[encode("User", each.pk) for each in people[:count]]) for count in (1, 5))
    assert few["nodes"][0]["twoFactorEnabled"] is True
    assert [each["twoFactorEnabled"] for each in many["nodes"]] == [True, False, False, False, False]
    assert few.statements == many.statements


def renew(gql: Gql, code: str) -> Any:
    return gql(RECOVERY_RENEW, code=code)["recoveryCodesRenew"]


def test_new_recovery_codes_void_the_old_ones(gql: Gql, ada: User) -> None:
    mine = gql.signed_in(ada)
    assert codes(renew(mine, "000000")) == ["INVALID"], "there is no second factor"
    old = give_second_factor(ada)
    deliver()
    assert gql(RECOVERY_RENEW, code=old[0]).codes == ["UNAUTHENTICATED"]
    for bad in (wrong(ada), "", "x" * 5000, "\x00"):
        assert codes(renew(mine, bad)) == ["CODE_INVALID"]
    other = gql.signed_in(make_user())
    assert codes(renew(other, old[0])) == ["INVALID"]
    assert deliver() == []
    new = renew(mine, code_of(ada))["recoveryCodes"]
    assert len(set(new)) == 10
    assert not set(new) & set(old)
    assert [message.subject for message in deliver()] == ["You have new recovery codes - Cartograph"]
    assert codes(answer(gql, challenge_of(ada), old[1])) == ["CODE_INVALID"]
    assert codes(answer(gql, challenge_of(ada), new[1])) == []
    assert renew(mine, new[0])["recoveryCodes"] is not None, "by one of them, too"
    assert codes(answer(gql, challenge_of(ada), new[2])) == ["CODE_INVALID"]


def test_mistyping_while_enabling_keeps_nobody_from_signing_in(gql: Gql, ada: User, settings: Any) -> None:
    settings.SECOND_FACTOR_TRIES = "2/minute"
    mine = gql.signed_in(ada)
    enable(mine)
    assert [codes(confirm(mine, "000000")) for _ in range(3)] == [
        ["CODE_INVALID"],
        ["CODE_INVALID"],
        ["TOO_MANY_ATTEMPTS"],
    ]
    Authenticator.objects.filter(user=ada).update(confirmed=True)
    answered = gql(ANSWER, challengeId=sign_in(gql)["challenge"]["id"], code=code_of(ada))["tokenChallengeAnswer"]
    assert answered["accessToken"]


# Roles that must have one ---------------------------------------------------------------------------


def test_a_role_that_asks_for_it_opens_nothing_before(gql: Gql, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["SUPPORT"]
    staff = make_user(EMAIL, role=Role.SUPPORT)
    mine = Gql(sign_in(gql)["accessToken"])
    for document in (CUSTOMERS, "mutation { userDataExport { data } }", "{ paymentMethods { id } }"):
        refused = mine(document)
        assert refused.codes == ["FORBIDDEN"]
        assert refused.errors[0]["extensions"]["reason"] == "SECOND_FACTOR_REQUIRED"
    seen = mine(VIEWER)["viewer"]
    assert (seen["permissions"], seen["twoFactorEnabled"]) == ([], False)
    assert mine(SESSIONS).errors == []
    enable(mine)
    assert codes(confirm(mine, code_of(staff))) == []
    assert mine(CUSTOMERS).errors == []  # at once, by the same token
    assert "accounts.view_user" in mine(VIEWER)["viewer"]["permissions"]
    next_step()
    assert codes(disable(mine, code_of(staff))) == []
    assert mine(CUSTOMERS).codes == ["FORBIDDEN"]


def test_it_is_asked_of_these_roles_alone_and_of_superusers_as_admins(gql: Gql, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["ADMIN"]
    assert gql.signed_in(make_user(role=Role.SUPPORT))(CUSTOMERS).errors == []
    assert gql.signed_in(make_user())("{ paymentMethods { id } }").errors == []
    boss = make_user(is_superuser=True)
    assert gql.signed_in(boss)(CUSTOMERS).codes == ["FORBIDDEN"]
    give_second_factor(boss)
    assert gql.signed_in(boss)(CUSTOMERS).errors == []


def test_staff_may_take_a_lost_factor_away(gql: Gql, ada: User) -> None:
    give_second_factor(ada)
    services.remove_second_factor(user_id=ada.pk)
    assert sign_in(gql)["accessToken"] is not None
