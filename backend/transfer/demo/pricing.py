"""Prices of the demo goods in currencies that only some gateways take."""

from decimal import Decimal

from django.db import transaction

from backend.catalog.models import ProductVariant, VariantPrice
from backend.catalog.services import refresh_listings
from backend.core.money import exponent
from backend.transfer.demo.files import read_products

PER_DOLLAR = {"EGP": 50, "BDT": 120, "IRR": 500_000}


@transaction.atomic
def price_abroad() -> int:
    """Give demo goods that have none a price in Egyptian pounds, taka and rials; returns how many were written."""
    slugs = [product["slug"] for product in read_products()]
    mine = ProductVariant.objects.filter(product__slug__in=slugs, deleted_at=None)
    dollars = VariantPrice.objects.filter(variant__in=mine, currency="USD")
    known = set(VariantPrice.objects.filter(variant__in=mine).values_list("variant_id", "currency"))
    made = [
        VariantPrice(variant_id=variant_id, currency=currency, amount=_in(currency, cents))
        for variant_id, cents in dollars.values_list("variant_id", "amount")
        for currency in PER_DOLLAR
        if (variant_id, currency) not in known
    ]
    VariantPrice.objects.bulk_create(made)
    if made:
        refresh_listings(mine.values_list("product_id", flat=True))
    return len(made)


def _in(currency: str, cents: int) -> int:
    """Minor units, of whole units."""
    units = max(round(Decimal(cents) * PER_DOLLAR[currency] / 100), 1)
    return int(Decimal(units).scaleb(exponent(currency)))
