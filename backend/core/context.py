"""What the shop speaks in one request: language, currency and country."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class ShopContext:
    """`language` is ISO 639-1 in lower case, `currency` ISO 4217, `country` ISO 3166 alpha-2."""

    language: str
    currency: str
    country: str


def default_context() -> ShopContext:
    return ShopContext(
        language=settings.DEFAULT_LANGUAGE,
        currency=settings.DEFAULT_CURRENCY,
        country=settings.DEFAULT_COUNTRY,
    )
