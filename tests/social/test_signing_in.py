"""Signing in with Google and GitHub, at a real provider on this machine."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group, Permission
from social_django.models import UserSocialAuth

from backend.accounts import personal
from backend.accounts.address_book import create_address
from backend.accounts.models import Authenticator, Customer, Session, SocialStart, User
from backend.accounts.services import delete_old_starts, open_session
from backend.core import clock
from backend.core.caller import Role
from backend.core.ids import encode
from backend.core.models import OutboxEvent
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, caller_of, make_user
from tests.factories.carts import ADDRESS, make_cart
from tests.factories.catalog import make_product
from tests.factories.second_factor import give_second_factor
from tests.schema.accounts.mails import deliver
from tests.social.browser import Browser, refusal, sign_in
from tests.social.running import BACK, Provider

pytestmark = pytest.mark.usefixtures("http")
BOTH = ["GOOGLE", "GITHUB"]
ADA: dict[str, Any] = {"given_name": "Ada", "family_name": "Lovelace"}


def know(there: Provider, login: str, email: str, /, *, verified: bool = True, **claims: Any) -> None:
    """Somebody with an address, at both providers at once."""
    mails = [{"email": email, "primary": True, "verified": verified}]
    there.know(login, sub=f"sub-{login}", id=len(login), email=email, email_verified=verified, emails=mails, **claims)


@pytest.mark.parametrize("kind", BOTH)
def test_whoever_comes_for_the_first_time_has_an_account_and_the_next_time_the_same(
    provider: Provider, kind: str
) -> None:
    know(provider, "ada", "Ada@Example.com", name="Ada Lovelace", **ADA)
    first = sign_in(provider, "ada", kind)
    assert first["userErrors"] == []
    assert first["accessToken"]
    assert first["user"] == {**first["user"], "email": "Ada@Example.com", "firstName": "Ada", "lastName": "Lovelace"}
    assert (first["user"]["emailVerified"], first["user"]["roles"]) == (True, ["CUSTOMER"])
    user = User.objects.get()
    assert Customer.objects.filter(user=user).exists()
    assert not user.has_usable_password()
    know(provider, "ada", "other@example.com")
    assert sign_in(provider, "ada", kind)["user"]["email"] == "Ada@Example.com"
    assert (User.objects.count(), Session.objects.count()) == (1, 2)
    assert UserSocialAuth.objects.get().extra_data == {}, "no token of the provider's is kept"


@pytest.mark.parametrize("kind", BOTH)
def test_a_verified_address_opens_the_account_that_has_it(provider: Provider, kind: str) -> None:
    user = make_user("ada@example.com", email_verified_at=clock.now())
    session = open_session(user=user).session
    know(provider, "ada", "ADA@example.com")
    assert sign_in(provider, "ada", kind)["user"]["id"] == encode("User", user.pk)
    [message] = deliver()
    assert message.to == ["ada@example.com"]
    user.refresh_from_db()
    session.refresh_from_db()
    assert user.check_password(PASSWORD), "an account whose address was verified keeps its password"
    assert session.revoked_at is None


@pytest.mark.parametrize("kind", BOTH)
def test_an_address_that_the_provider_has_not_verified_opens_nothing(provider: Provider, kind: str) -> None:
    victim = make_user("ada@example.com", email_verified_at=clock.now())
    know(provider, "thief", "ada@example.com", verified=False)
    know(provider, "nobody", "new@example.com", verified=False)
    for name in ("thief", "nobody"):
        assert refusal(sign_in(provider, name, kind)) == ("FORBIDDEN", ["input", "provider"])
    assert list(User.objects.all()) == [victim]
    assert not UserSocialAuth.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("said", ["true", 1, None])
def test_only_a_plain_yes_is_one(provider: Provider, said: Any) -> None:
    mails = [{"email": "ada@example.com", "primary": True, "verified": said}, "ada@example.com"]
    provider.know("ada", sub="1", id=1, email="ada@example.com", email_verified=said, emails=mails)
    for kind in BOTH:
        assert refusal(sign_in(provider, "ada", kind))[0] in {"FORBIDDEN", "PROVIDER_UNAVAILABLE"}
    assert not User.objects.exists()


def test_another_verified_address_does_where_githubs_primary_one_is_not(provider: Provider) -> None:
    mails = [
        {"email": "victim@example.com", "primary": True, "verified": False},
        {"email": "mine@example.com", "primary": False, "verified": True},
    ]
    provider.know("eve", id=7, email="victim@example.com", emails=mails)
    assert sign_in(provider, "eve", "GITHUB")["user"]["email"] == "mine@example.com"


def test_an_account_whose_address_was_not_verified_loses_all_that_its_maker_has(provider: Provider, gql: Gql) -> None:
    """A stranger has registered with somebody's address, and waits with everything that opens it again."""
    moment = clock.now()
    theirs: dict[str, Any] = {"phone": "+15550100", "phone_verified_at": moment, "pending_email": "eve@example.com"}
    user = make_user("ada@example.com", **theirs)
    stranger = gql.signed_in(user)
    assert stranger("{ viewer { id } }").errors == []
    give_second_factor(user)
    UserSocialAuth.objects.create(user=user, provider="github", uid="666", id_key="id")
    create_address(caller=caller_of(user), address=ADDRESS)
    know(provider, "ada", "ada@example.com")
    payload = sign_in(provider, "ada")
    assert payload["user"] == {**payload["user"], "id": encode("User", user.pk), "emailVerified": True}
    assert payload["accessToken"]
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert (user.pending_email, user.phone, user.phone_verified_at) == ("", "", None)
    assert stranger("{ viewer { id } }").codes == ["UNAUTHENTICATED"]
    assert [each.provider for each in UserSocialAuth.objects.all()] == ["google-oauth2"]
    assert Session.objects.filter(revoked_at=None).count() == 1
    assert [(each.is_default_shipping, each.is_default_billing) for each in user.addresses.all()] == [(False, False)]


@pytest.mark.parametrize("right", ["superuser", "staff", "role", "permission", "group"])
def test_an_account_with_rights_is_taken_over_by_no_address(provider: Provider, right: str, gql: Gql) -> None:
    """Not by whoever has an admin's mailbox, and least of all with the second factor gone."""
    given: dict[str, Any] = {"is_superuser": right == "superuser", "is_staff": right == "staff"}
    user = make_user("ada@example.com", role=Role.SUPPORT if right == "role" else None, **given)
    if right == "permission":
        user.user_permissions.add(Permission.objects.get(codename="view_order"))
    if right == "group":
        user.groups.add(Group.objects.create(name="Interns"))
    give_second_factor(user)
    OutboxEvent.objects.all().delete()
    mine = gql.signed_in(user)
    know(provider, "ada", "ada@example.com")
    for kind in BOTH:
        assert refusal(sign_in(provider, "ada", kind)) == ("ACCOUNT_PROTECTED", ["input", "provider"])
    user.refresh_from_db()
    assert (user.email_verified_at, user.check_password(PASSWORD)) == (None, True)
    assert Authenticator.objects.filter(user=user, confirmed=True).exists()
    assert mine("{ viewer { id } }").errors == []
    assert not UserSocialAuth.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_a_second_factor_is_asked_for_all_the_same(provider: Provider) -> None:
    user = make_user("ada@example.com", email_verified_at=clock.now())
    give_second_factor(user)
    know(provider, "ada", "ada@example.com")
    payload = sign_in(provider, "ada")
    assert (payload["challenge"]["kind"], payload["accessToken"], payload["user"]) == ("TOTP", None, None)
    assert not Session.objects.exists()


def test_a_closed_account_stays_closed(provider: Provider) -> None:
    make_user("ada@example.com", email_verified_at=clock.now(), is_active=False)
    know(provider, "ada", "ada@example.com")
    assert refusal(sign_in(provider, "ada"))[0] == "FORBIDDEN"
    assert not UserSocialAuth.objects.exists()


def test_the_guests_cart_comes_along(provider: Provider) -> None:
    cart = make_cart((make_product().variants.get(), 1))
    know(provider, "ada", "ada@example.com")
    payload = sign_in(provider, "ada", cartId=encode("Cart", cart.pk))
    assert payload["cartMerge"] == {"outcomes": [{"outcome": "MOVED"}]}


# State and browser --------------------------------------------------------------------------------


def test_nothing_goes_on_in_another_browser_and_the_first_one_still_does(provider: Provider) -> None:
    """Somebody is sent to the page that ends the sign-in, with the code and state of a stranger's account."""
    know(provider, "eve", "eve@example.com")
    stranger, victim = Browser(), Browser()
    back = provider.visit(stranger.start()["authorizationUrl"], "eve")
    assert refusal(victim.finish(back)) == ("TOKEN_INVALID", ["input", "state"])
    assert refusal(victim.finish(back, binding="guess")) == ("TOKEN_INVALID", ["input", "state"])
    assert not Session.objects.exists()
    assert stranger.finish(back)["user"]["email"] == "eve@example.com"


def test_a_state_is_good_once(provider: Provider) -> None:
    know(provider, "ada", "ada@example.com")
    browser = Browser()
    back = provider.visit(browser.start()["authorizationUrl"], "ada")
    cookies = dict(browser.cookies)
    assert browser.finish(back)["userErrors"] == []
    assert not [name for name in browser.cookies if "social" in name]
    browser.cookies = cookies
    assert refusal(browser.finish(back)) == ("TOKEN_INVALID", ["input", "state"])
    assert not SocialStart.objects.exists()


def test_two_tabs_may_begin_at_once(provider: Provider) -> None:
    know(provider, "ada", "ada@example.com")
    browser = Browser()
    first, second = (browser.start()["authorizationUrl"] for _ in range(2))
    assert browser.finish(provider.visit(first, "ada"))["userErrors"] == []
    assert browser.finish(provider.visit(second, "ada"))["userErrors"] == []


def test_a_state_belongs_to_its_provider_and_its_time(provider: Provider, settings: Any) -> None:
    know(provider, "ada", "ada@example.com")
    browser = Browser()
    back = provider.visit(browser.start("GITHUB")["authorizationUrl"], "ada")
    cookies = dict(browser.cookies)
    assert refusal(browser.finish(back, "GOOGLE")) == ("TOKEN_INVALID", ["input", "state"])
    browser.cookies = cookies
    SocialStart.objects.update(expires_at=clock.now())
    assert refusal(browser.finish(back, "GITHUB")) == ("TOKEN_EXPIRED", ["input", "state"])
    browser.start()
    SocialStart.objects.update(expires_at=clock.now())
    assert (delete_old_starts(), SocialStart.objects.count()) == (1, 0)


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, "\x00", "ünï"])
def test_states_that_nobody_began_are_refused(provider: Provider, state: str) -> None:
    assert refusal(Browser().finish({"code": "x", "state": state})) == ("TOKEN_INVALID", ["input", "state"])


def test_the_providers_code_is_checked_with_pkce(provider: Provider) -> None:
    """A code that was stolen on its way back is of no use without the verifier, which never left the shop."""
    know(provider, "ada", "ada@example.com")
    browser, other = Browser(), Browser()
    for kind in BOTH:
        url = parse_qs(urlsplit(browser.start(kind)["authorizationUrl"]).query)
        assert (url["code_challenge_method"], url["redirect_uri"]) == (["S256"], [BACK])
        assert url["scope"] == (["openid email profile"] if kind == "GOOGLE" else ["user:email"])
    stolen = provider.visit(browser.start()["authorizationUrl"], "ada")["code"]
    own = other.start()
    assert refusal(other.finish({"code": stolen, "state": own["state"]})) == ("CODE_INVALID", ["input", "code"])
    assert not User.objects.exists()


@pytest.mark.parametrize("code", ["", "x", "x" * 2001, "\x00", "ü"])
def test_codes_that_the_provider_did_not_give_are_refused(provider: Provider, code: str) -> None:
    browser = Browser()
    state = browser.start()["state"]
    assert refusal(browser.finish({"code": code, "state": state})) == ("CODE_INVALID", ["input", "code"])


def test_apps_without_cookies_keep_the_binding_themselves(provider: Provider) -> None:
    know(provider, "ada", "ada@example.com")
    app = Browser()
    started = app.start(withoutCookie=True)
    assert app.cookies == {}
    back = provider.visit(started["authorizationUrl"], "ada")
    assert Browser().start()["binding"] is None
    assert app.finish(back, binding=started["binding"])["userErrors"] == []


# What can be wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["token", "userinfo", "user"])
@pytest.mark.parametrize("how", ["ERROR_500", "[", "[]", "null", "{}", '"text"', '{"email_verified": true}'])
def test_a_provider_that_is_out_of_order_signs_nobody_in(provider: Provider, path: str, how: str) -> None:
    know(provider, "ada", "ada@example.com")
    provider.be_broken(**{path: how})
    code, _ = refusal(sign_in(provider, "ada", "GITHUB" if path == "user" else "GOOGLE"))
    assert code in {"PROVIDER_UNAVAILABLE", "CODE_INVALID", "FORBIDDEN"}
    assert not User.objects.exists()
    assert not Session.objects.exists()


def test_a_provider_that_is_away_is_told_as_such(provider: Provider, settings: Any) -> None:
    know(provider, "ada", "ada@example.com")
    browser = Browser()
    back = provider.visit(browser.start()["authorizationUrl"], "ada")
    settings.SOCIAL_AUTH_GOOGLE_OAUTH2_ACCESS_TOKEN_URL = "http://127.0.0.1:1/token"
    assert refusal(browser.finish(back)) == ("PROVIDER_UNAVAILABLE", ["input", "provider"])


def test_a_provider_without_a_key_is_not_offered(provider: Provider, settings: Any, gql: Gql) -> None:
    assert gql("{ socialProviders }")["socialProviders"] == BOTH
    settings.SOCIAL_AUTH_GITHUB_KEY = ""
    assert gql("{ socialProviders }")["socialProviders"] == ["GOOGLE"]
    [error] = Browser().start("GITHUB")["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "provider"])


@pytest.mark.parametrize(
    "uri",
    ["", "/signed-in", "javascript:alert(1)", "https://a.example/#x", "https://a.example\r\n", "https://"],
)
def test_the_browser_comes_back_to_pages_alone(provider: Provider, uri: str) -> None:
    [error] = Browser().start(redirect_uri=uri)["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "redirectUri"])
    assert not SocialStart.objects.exists()


def test_where_pages_are_named_no_other_is_one(provider: Provider, settings: Any) -> None:
    settings.SOCIAL_REDIRECT_URIS = [BACK, "com.example.app:/back"]
    assert Browser().start()["userErrors"] == []
    assert Browser().start(redirect_uri="com.example.app:/back")["userErrors"] == []
    [error] = Browser().start(redirect_uri=f"{BACK}/evil")["userErrors"]
    assert error["code"] == "INVALID"


def test_beginning_has_a_bound(provider: Provider, settings: Any) -> None:
    settings.SOCIAL_STARTS_PER_ADDRESS = "1/hour"
    assert Browser().start()["userErrors"] == []
    assert [each["code"] for each in Browser().start()["userErrors"]] == ["TOO_MANY_ATTEMPTS"]


def test_the_link_is_told_and_forgotten_with_the_rest(provider: Provider) -> None:
    know(provider, "ada", "ada@example.com")
    sign_in(provider, "ada")
    user = User.objects.get()
    assert [each["provider"] for each in personal.export(user.pk)["providers"]] == ["google-oauth2"]
    personal.erase(user.pk)
    assert not UserSocialAuth.objects.exists()
