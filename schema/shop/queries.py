"""What a storefront asks before anything else."""

from typing import Annotated, cast

import strawberry
from babel.core import Locale
from django.conf import settings

from backend.core.addresses import COUNTRIES
from backend.core.money import exponent
from schema.engine import computed
from schema.payments.gateways import PaymentGatewayType, payment_gateways
from schema.server.context import Context
from schema.server.enums import CountryCode, CurrencyCode, LanguageCode


@strawberry.type(description="A currency that the shop has prices in.")
class Currency:
    code: CurrencyCode = strawberry.field(description="Its ISO 4217 code.")
    name: str = strawberry.field(description="Its name, in the context's language.")
    exponent: int = strawberry.field(description="How many digits its amounts have after the point.")


@strawberry.type(description="A language that the shop speaks.")
class Language:
    code: LanguageCode = strawberry.field(description="Its ISO 639-1 code.")
    name: str = strawberry.field(description="What it calls itself.")


@strawberry.type(description="A country that orders can go to.")
class Country:
    code: CountryCode = strawberry.field(description="Its ISO 3166 alpha-2 code.")
    name: str = strawberry.field(description="Its name, in the context's language.")


@strawberry.type(description="The shop.")
class Shop:
    name: str = strawberry.field(description="The shop's name.")
    default_currency: CurrencyCode = strawberry.field(description="Prices are in it unless `@inContext` says else.")
    default_language: LanguageCode = strawberry.field(description="Texts are in it unless `@inContext` says else.")

    @computed(description="The currencies that it has prices in.")
    def currencies(shop: "Shop", ctx: Context) -> list[Currency]:
        names = Locale.parse(ctx.shop.language).currencies
        return [
            Currency(code=code, name=names.get(code, code), exponent=exponent(code))  # type: ignore[arg-type]
            for code in settings.CURRENCIES_OFFERED
        ]

    @computed(description="The languages that it speaks.")
    def languages(shop: "Shop") -> list[Language]:
        return [
            Language(code=code, name=Locale.parse(code).display_name or code)  # type: ignore[arg-type]
            for code in settings.LANGUAGES_OFFERED
        ]

    @computed(description="The countries that orders can go to.")
    def countries(shop: "Shop", ctx: Context) -> list[Country]:
        names = Locale.parse(ctx.shop.language).territories
        codes = settings.COUNTRIES_OFFERED or sorted(COUNTRIES)
        return [Country(code=code, name=names.get(code, code)) for code in codes]  # type: ignore[arg-type]

    @computed(
        description="The ways to pay; where you name the cart's currency and its billing address' country, only those "
        "that take the one and serve the other."
    )
    def payment_gateways(
        shop: "Shop",
        *,
        currency: Annotated[CurrencyCode | None, strawberry.argument(description="Only those that take it.")] = None,
        country: Annotated[CountryCode | None, strawberry.argument(description="Only those that serve it.")] = None,
    ) -> list[PaymentGatewayType]:
        taken, served = (each.value if each else "" for each in (currency, country))
        return payment_gateways(currency=taken, country=served)


@strawberry.type
class ShopQuery:
    @computed(description="The shop: what it is called, speaks and takes.")
    def shop(root: None) -> Shop:
        return Shop(
            name=settings.SHOP_NAME,
            default_currency=cast(CurrencyCode, settings.DEFAULT_CURRENCY),
            default_language=cast(LanguageCode, settings.DEFAULT_LANGUAGE),
        )
