"""Money in the API: exact decimal strings, never floats."""

from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import strawberry

from backend.core.errors import Invalid
from backend.core.money import MAX_MINOR, exponent, format_minor
from backend.core.money import Money as DomainMoney
from schema.engine import computed
from schema.server.context import Context
from schema.server.enums import CurrencyCode


@strawberry.type(description="An amount of money in one currency.")
class Money:
    amount: str = strawberry.field(
        description='The amount as a decimal string with exactly the currency\'s digits: "12.50", "1250" for JPY.'
    )
    currency: CurrencyCode = strawberry.field(description="The currency.")

    @computed(description="The amount as people write it in the context's language: `$12.50`, `12,50 €`.")
    def formatted(money: Any, ctx: Context) -> str:
        return format_minor(money.minor, money.currency, ctx.shop.language)


@strawberry.type(description="The lowest and the highest of some amounts.")
class MoneyRange:
    min: Money = strawberry.field(description="The lowest amount.")
    max: Money = strawberry.field(description="The highest amount.")


@strawberry.input(description="An amount of money that you send.")
class MoneyInput:
    amount: Decimal = strawberry.field(
        description='The amount in major units: "12.50". No more digits than the currency has.'
    )
    currency: CurrencyCode = strawberry.field(description="The currency.")


def sent_money(sent: "MoneyInput | None", *, field: list[str]) -> DomainMoney | None:
    """What a client sent, in minor units. Raises Invalid for more digits than the currency has, and for no number."""
    if sent is None:
        return None
    code: str = sent.currency.value
    usable = sent.amount.is_finite() and -MAX_MINOR <= sent.amount <= MAX_MINOR
    minor = sent.amount.scaleb(exponent(code)) if usable else None
    if minor is None or minor != int(minor) or abs(minor) > MAX_MINOR:
        raise Invalid(f"An amount of {code}, with no more digits than the currency has.", field=field)
    return DomainMoney(int(minor), code)


@lru_cache(maxsize=50_000)
def money(minor: int, currency: str) -> Money:
    """The domain's value, typed as what the schema calls it. Equal amounts are one object, and completed once."""
    return cast(Money, DomainMoney(minor, currency))
