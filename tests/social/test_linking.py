"""More than one way in: what somebody who is signed in links and unlinks."""

from datetime import timedelta
from typing import Any

import pytest
from social_django.models import UserSocialAuth

from backend.accounts.models import Session, User
from backend.core import clock
from backend.core.models import OutboxEvent
from tests.conftest import Gql, send
from tests.factories.accounts import make_user
from tests.schema.accounts.mails import deliver
from tests.social.browser import Browser, sign_in
from tests.social.running import Provider

pytestmark = pytest.mark.usefixtures("http")
LINK = """mutation ($provider: SocialProvider!, $code: String!, $state: String!, $binding: String) {
  socialAccountLink(input: { provider: $provider, code: $code, state: $state, binding: $binding }) {
    user { id socialAccounts hasPassword } userErrors { code message field } } }"""
UNLINK = """mutation ($provider: SocialProvider!) { socialAccountUnlink(input: { provider: $provider }) {
  user { id socialAccounts } userErrors { code message field } } }"""
WAYS = "{ viewer { socialAccounts hasPassword } }"


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada@example.com", email_verified_at=clock.now())


def know(there: Provider, login: str, number: int, email: str) -> None:
    mails = [{"email": email, "primary": True, "verified": True}]
    there.know(login, sub=f"sub-{number}", id=number, email=email, email_verified=True, emails=mails)


def link(there: Provider, gql: Gql, name: str, provider: str = "GITHUB") -> Any:
    """Begin in an app, go there, and link what comes back."""
    app = Browser()
    started = app.start(provider, withoutCookie=True)
    back = there.visit(started["authorizationUrl"], name)
    given = {"provider": provider, "code": back["code"], "state": back["state"], "binding": started["binding"]}
    return gql(LINK, **given)["socialAccountLink"]


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def test_a_linked_provider_opens_the_account_whatever_its_address(provider: Provider, gql: Gql, ada: User) -> None:
    know(provider, "work", 11, "ada@work.example")
    mine = gql.signed_in(ada)
    payload = link(provider, mine, "work")
    assert payload == {"user": {**payload["user"], "socialAccounts": ["GITHUB"], "hasPassword": True}, "userErrors": []}
    assert [message.subject for message in deliver()] == ["A new way to sign in - Cartograph"]
    assert sign_in(provider, "work", "GITHUB")["user"]["email"] == "ada@example.com"
    assert codes(link(provider, mine, "work")) == [], "twice is once"
    assert deliver() == []
    know(provider, "other", 12, "other@example.com")
    assert codes(link(provider, mine, "other")) == ["INVALID"], "one of each provider"
    assert UserSocialAuth.objects.count() == 1
    stranger = gql.signed_in(make_user())
    assert codes(link(provider, stranger, "work")) == ["INVALID"], "it opens somebody else's account"
    assert stranger(WAYS)["viewer"] == {"socialAccounts": [], "hasPassword": True}


def test_nothing_is_linked_by_guests_in_other_browsers_or_long_after_signing_in(
    provider: Provider, gql: Gql, ada: User
) -> None:
    know(provider, "work", 11, "ada@work.example")
    mine = gql.signed_in(ada)
    browser = Browser()
    back = provider.visit(browser.start("GITHUB")["authorizationUrl"], "work")
    given = {"provider": "GITHUB", "code": back["code"], "state": back["state"]}
    assert gql(LINK, **given).codes == ["UNAUTHENTICATED"]
    assert codes(mine(LINK, **given)["socialAccountLink"]) == ["TOKEN_INVALID"]
    headers = {
        "authorization": f"Bearer {mine.token}",
        "cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
    }
    Session.objects.update(created_at=clock.now() - timedelta(minutes=11))
    answer = send("POST", "/graphql", json={"query": LINK, "variables": given}, headers=headers).json()
    assert codes(answer["data"]["socialAccountLink"]) == ["SIGN_IN_AGAIN"]
    assert codes(mine(UNLINK, provider="GITHUB")["socialAccountUnlink"]) == ["SIGN_IN_AGAIN"]
    assert not UserSocialAuth.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_the_last_way_in_stays(provider: Provider, gql: Gql) -> None:
    know(provider, "eve", 21, "eve@example.com")
    mine = Gql(sign_in(provider, "eve")["accessToken"])
    deliver()
    assert mine(WAYS)["viewer"] == {"socialAccounts": ["GOOGLE"], "hasPassword": False}
    assert codes(mine(UNLINK, provider="GOOGLE")["socialAccountUnlink"]) == ["LAST_WAY_IN"]
    assert codes(mine(UNLINK, provider="GITHUB")["socialAccountUnlink"]) == ["INVALID"]
    assert codes(link(provider, mine, "eve")) == []
    assert deliver()
    assert mine(UNLINK, provider="GOOGLE")["socialAccountUnlink"]["user"]["socialAccounts"] == ["GITHUB"]
    assert codes(mine(UNLINK, provider="GITHUB")["socialAccountUnlink"]) == ["LAST_WAY_IN"]
    assert codes(mine(UNLINK, provider="GOOGLE")["socialAccountUnlink"]) == ["INVALID"]
    assert [message.subject for message in deliver()] == ["One way to sign in less - Cartograph"]
    assert gql(UNLINK, provider="GITHUB").codes == ["UNAUTHENTICATED"]


def test_with_a_password_all_of_them_may_go(provider: Provider, gql: Gql, ada: User) -> None:
    UserSocialAuth.objects.create(user=ada, provider="github", uid="1")
    mine = gql.signed_in(ada)
    assert mine(UNLINK, provider="GITHUB")["socialAccountUnlink"]["user"]["socialAccounts"] == []
    assert not UserSocialAuth.objects.exists()
