"""Running the commands, and looking at everything that they may write."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backend.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    VariantPrice,
)
from backend.core.models import OutboxEvent
from backend.inventory.models import Location, StockLevel, StockMovement
from backend.vendors.models import Vendor

HEADER = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Price"
Run = Callable[..., str]
TABLES = [
    Attribute,
    Category,
    Location,
    OutboxEvent,
    Product,
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    StockLevel,
    StockMovement,
    Vendor,
    VariantPrice,
]


def everything() -> dict[str, list[Any]]:
    """Each table's rows, timestamps included."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in TABLES}


@pytest.fixture
def run_import(tmp_path: Path) -> Run:
    """Import a text (or a file) and return the report."""

    def run(content: str | bytes | Path, format: str = "shopify", **options: Any) -> str:
        path = content if isinstance(content, Path) else tmp_path / "catalog.csv"
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        out = StringIO()
        call_command("import_catalog", str(path), format=format, verbosity=0, stdout=out, **options)
        return out.getvalue()

    return run


@pytest.fixture
def export(tmp_path: Path) -> Callable[[], bytes]:
    """The catalog as a Cartograph file."""

    def run() -> bytes:
        path = tmp_path / "export.jsonl"
        call_command("export_catalog", str(path), stderr=StringIO())
        return path.read_bytes()

    return run
