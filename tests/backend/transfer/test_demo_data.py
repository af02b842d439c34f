"""Large invented shops."""

import tracemalloc
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from backend.catalog.models import Product, ProductListing, ProductVariant, VariantPrice
from backend.inventory.models import StockLevel
from backend.transfer.bulk import loading
from tests.backend.transfer.conftest import everything

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(loading, "PICTURES", 2)


def invent(*arguments: str) -> str:
    out = StringIO()
    call_command("demo_data", *arguments, verbosity=0, stdout=out)
    return out.getvalue()


def catalog() -> list[dict[str, Any]]:
    """What the products are, without ids and times of writing."""
    return [
        {
            "product": (row.slug, row.name, row.description_html, row.brand, row.tags, row.options, row.status),
            "history": (row.created_at, row.sales_count),
            "variants": [
                (each.sku, each.options, each.stock_policy, sorted(each.prices.values_list("currency", "amount")))
                for each in row.variants.order_by("position")
            ],
        }
        for row in Product.objects.order_by("slug")
    ]


def test_the_same_seed_makes_the_same_shop_and_another_seed_another() -> None:
    invent("--products", "30", "--seed", "4")
    first = catalog()
    Product.objects.all().delete()
    invent("--products", "30", "--seed", "4")
    assert catalog() == first
    Product.objects.all().delete()
    invent("--products", "30", "--seed", "5")
    assert catalog() != first


def test_products_are_whole() -> None:
    invent("--products", "40", "--variants", "3")
    assert Product.objects.count() == 40
    assert ProductVariant.objects.count() == 120
    assert StockLevel.objects.count() == 120
    assert VariantPrice.objects.count() == 240
    assert ProductListing.objects.count() == 80
    assert Product.objects.filter(category=None).count() == 0
    assert Product.objects.filter(images=None).count() == 0


def test_a_larger_number_adds_to_a_smaller_one_and_the_same_adds_nothing() -> None:
    invent("--products", "20")
    before = everything()
    assert invent("--products", "20").startswith("0 products written")
    assert everything() == before
    assert invent("--products", "25").startswith("5 products written")
    assert Product.objects.count() == 25


def test_statements_follow_batches_and_not_products(monkeypatch: pytest.MonkeyPatch) -> None:
    def statements(products: int, batch: int) -> int:
        monkeypatch.setattr(loading, "BATCH", batch)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            invent("--products", str(products))
        return len(captured)

    statements(1, 1)
    small, large = statements(11, 20), statements(31, 40)
    assert small == large


def test_memory_stays_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    def peak(products: int) -> int:
        tracemalloc.start()
        invent("--products", str(products), "--seed", str(products))
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    monkeypatch.setattr(loading, "BATCH", 25)
    peak(25)
    assert peak(150) < peak(50) * 1.4


@pytest.mark.parametrize(
    "arguments",
    [[], ["--products", "0"], ["--products", "-5"], ["--products", "many"], ["--products", "5", "--seed", "x"]],
)
def test_arguments_that_mean_nothing_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        invent(*arguments)
    assert not Product.objects.exists()
