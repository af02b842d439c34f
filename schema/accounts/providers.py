"""Whom people can sign in with, as clients name them."""

from typing import Any

import strawberry

from backend.accounts.social import providers
from schema.server.enums import describe_enum

SocialProvider: Any = strawberry.enum(
    providers.SocialProvider, name="SocialProvider", description="Whom the shop believes who somebody is."
)
describe_enum(providers.SocialProvider, {"GOOGLE": "Google.", "GITHUB": "GitHub."})
