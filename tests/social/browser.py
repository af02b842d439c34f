"""Somebody's browser, at the shop and at the provider."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.conftest import send
from tests.social.running import BACK, Provider

START = """mutation ($provider: SocialProvider!, $redirectUri: String!, $withoutCookie: Boolean! = false) {
  socialAuthStart(input: { provider: $provider, redirectUri: $redirectUri, withoutCookie: $withoutCookie }) {
    authorizationUrl state binding userErrors { code message field } } }"""
FINISH = """mutation ($provider: SocialProvider!, $code: String!, $state: String!, $binding: String, $cartId: ID) {
  socialTokenCreate(input: { provider: $provider, code: $code, state: $state, binding: $binding, cartId: $cartId }) {
    accessToken refreshToken challenge { id kind } user { id email firstName lastName emailVerified roles }
    cartMerge { outcomes { outcome } } userErrors { code message field } } }"""


@dataclass
class Browser:
    """Keeps cookies. `http` has to stand behind it: the database and the process of the test."""

    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, document: str, **variables: Any) -> Any:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": kept} if kept else {}
        answer = send("POST", "/graphql", json={"query": document, "variables": variables}, headers=headers)
        self._keep(answer)
        assert "errors" not in answer.json(), answer.json()
        [payload] = answer.json()["data"].values()
        return payload

    def start(self, provider: str = "GOOGLE", redirect_uri: str = BACK, **given: Any) -> Any:
        return self.send(START, provider=provider, redirectUri=redirect_uri, **given)

    def finish(self, back: dict[str, str], provider: str = "GOOGLE", **given: Any) -> Any:
        return self.send(FINISH, provider=provider, code=back["code"], state=back["state"], **given)

    def _keep(self, answer: httpx.Response) -> None:
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        for header in answer.headers.get_list("set-cookie"):
            if "Max-Age=0" in header:
                self.cookies.pop(header.split("=")[0], None)


def sign_in(there: Provider, name: str, provider: str = "GOOGLE", browser: Browser | None = None, **given: Any) -> Any:
    """The whole way: begin, go there, come back."""
    browser = browser or Browser()
    back = there.visit(browser.start(provider)["authorizationUrl"], name)
    return browser.finish(back, provider, **given)


def refusal(payload: Any) -> tuple[str, list[str] | None]:
    """The one reason why nobody was signed in."""
    assert (payload["accessToken"], payload["challenge"], payload["user"]) == (None, None, None)
    [error] = payload["userErrors"]
    return error["code"], error["field"]
