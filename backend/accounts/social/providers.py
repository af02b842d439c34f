"""The providers, as the library talks to them: with PKCE, and at the addresses of the settings."""

from enum import StrEnum
from typing import Any

from django.conf import settings
from social_core.backends.github import GithubOAuth2
from social_core.backends.google import GoogleOAuth2
from social_core.backends.oauth import BaseOAuth2PKCE


class SocialProvider(StrEnum):
    GOOGLE = "GOOGLE"
    GITHUB = "GITHUB"


class Google(BaseOAuth2PKCE[Any], GoogleOAuth2[Any]):
    """The library refuses whoever has an address that Google has not verified."""

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        url = settings.SOCIAL_AUTH_GOOGLE_OAUTH2_USERINFO_URL
        answer: dict[str, Any] = self.get_json(url, headers={"Authorization": f"Bearer {access_token}"})
        self.validate_email_verified(answer)
        return answer

    def verified_email(self, response: dict[str, Any]) -> str | None:
        return response["email"] if response.get("email_verified") is True and response.get("email") else None


class GitHub(BaseOAuth2PKCE[Any], GithubOAuth2[Any]):
    def api_url(self) -> str:
        return str(settings.SOCIAL_AUTH_GITHUB_API_URL)

    def verified_email(self, response: dict[str, Any]) -> str | None:
        """The primary address if GitHub has verified it, or another one that it has."""
        told = [each for each in response.get("emails", ()) if isinstance(each, dict)]
        emails = [each for each in told if each.get("verified") is True]
        emails.sort(key=lambda each: each.get("primary") is not True)
        return emails[0].get("email") or None if emails else None


BACKENDS: dict[SocialProvider, type[Google] | type[GitHub]] = {
    SocialProvider.GOOGLE: Google,
    SocialProvider.GITHUB: GitHub,
}


def offered() -> list[SocialProvider]:
    """Those that the shop has an account with."""
    keys = {
        SocialProvider.GOOGLE: settings.SOCIAL_AUTH_GOOGLE_OAUTH2_KEY,
        SocialProvider.GITHUB: settings.SOCIAL_AUTH_GITHUB_KEY,
    }
    return [provider for provider, key in keys.items() if key]
