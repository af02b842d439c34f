"""Dry runs tell what the real run would do, and disturb nobody; imports that are interrupted tell what they did."""

from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection

from backend.catalog.models import Product
from backend.inventory.models import StockLevel
from backend.transfer import scratch
from backend.transfer.cartograph import importing
from backend.vendors.models import Vendor
from tests.backend.transfer.conftest import Run, everything
from tests.factories.catalog import make_category, make_product

HEADER = {"cartograph": {"version": 1}}
DRY = "Dry run: nothing was written.\n"


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in (HEADER, *rows))


def product(slug: str, *skus: str, **fields: Any) -> dict[str, Any]:
    """A line with a product that has a variant for each SKU."""
    options = [{"name": "Size", "values": list(skus)}]
    variants = [
        {"sku": sku, "position": number, "options": {"Size": sku}, "stock": {"Shop": 5}}
        for number, sku in enumerate(skus)
    ]
    return {"product": {"slug": slug, "name": slug, "options": options, "variants": variants, **fields}}


def temporary_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def another() -> Iterator[Callable[[str], int]]:
    """Statements on a connection of its own, which fail rather than wait for a lock. How many rows they met."""
    parameters = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with closing(psycopg.connect(**parameters, autocommit=True)) as other:
        other.execute("SET lock_timeout = '500ms'")
        yield lambda statement: other.execute(statement).rowcount


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", ["cartograph", "shopify"])
def test_shop_goes_on_while_a_dry_run_is_within_a_product(
    run_import: Run, another: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    rows = [product(f"hat-{number}", f"HAT-{number}") for number in range(12)]
    run_import(lines(*rows), "cartograph")
    make_category()
    met = []

    def set_on_hand(**given: Any) -> int:
        """The last step of a product: what it locks is locked by now."""
        changed = real(**given)
        met.append(another("UPDATE inventory_stocklevel SET reserved = reserved + 1 WHERE reserved < on_hand"))
        met.append(another("SELECT 1 FROM catalog_product, catalog_productvariant FOR UPDATE"))
        met.append(another("UPDATE catalog_category SET numchild = numchild"))
        met.append(another(f"INSERT INTO inventory_location (name) VALUES ('New {len(met)}')"))
        return int(changed)

    module = f"backend.transfer.{format}.importing.set_on_hand"
    real = importing.set_on_hand
    monkeypatch.setattr(module, set_on_hand)
    if format == "cartograph":
        file = lines(*rows, *(product(f"cap-{number}", f"CAP-{number}") for number in range(3))).replace(b":5}", b":4}")
    else:
        file = b"Handle,Title,Variant Price,Variant Inventory Qty,Type\n" + b"".join(
            b"hat-%d,Hat,5,9,Kind\n" % n for n in range(15)
        )
    report = run_import(file, format, dry_run=True)
    assert ["products", "3", "12", "0", "0"] in [line.split() for line in report.splitlines()]
    assert met == [count for turn in range(15) for count in (12 if turn < 5 else 0, 144, 1, 1)]
    assert set(StockLevel.objects.values_list("on_hand", "reserved")) == {(5, 5)}
    assert Product.objects.filter(slug__startswith="hat", name__startswith="hat").count() == 12
    assert temporary_tables() == []


@pytest.mark.django_db
def test_later_things_of_a_file_see_earlier_ones(run_import: Run) -> None:
    make_product(slug="old").variants.update(sku="OLD")
    file = lines(
        {"vendor": {"slug": "north", "name": "North"}},
        {"category": {"slug": "hats", "name": "Hats"}},
        {"category": {"slug": "caps", "name": "Caps", "parent": "hats"}},
        {"category": {"slug": "hats", "name": "Hats and caps"}},
        {"attribute": {"key": "material", "label": "Material"}},
        product("hat", "A", "B", vendor="north", category="caps", attributes={"material": "wool"}),
        {"attribute": {"key": "material", "label": "Material", "kind": "NUMBER"}},
        product("cap", "B"),
        product("coat", "OLD"),
        product("hat", "A", vendor="north", category="caps", attributes={"material": "wool"}),
        product("cap", "B"),
        product("cap", "B"),
        product("cap", "B", category="gloves"),
    )
    before = everything()
    dry = run_import(file, "cartograph", dry_run=True)
    assert everything() == before
    assert dry == DRY + run_import(file, "cartograph")
    assert "The SKU 'B' belongs to the product 'hat'." in dry
    assert "The SKU 'OLD' belongs to the product 'old'." in dry
    assert ["products", "2", "1", "1", "3"] in [line.split() for line in dry.splitlines()]


@pytest.mark.django_db
def test_writing_to_a_table_that_was_not_copied_is_impossible(run_import: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_COPIED", [model for model in scratch._COPIED if model is not Vendor])
    with pytest.raises(InternalError, match="read-only"):
        run_import(lines({"vendor": {"slug": "north", "name": "North"}}), "cartograph", dry_run=True)
    assert not Vendor.objects.exists()
    assert temporary_tables() == []


def interrupted(path: Path, **options: Any) -> str:
    """The report of an import that Ctrl-C ends."""
    out = StringIO()
    with pytest.raises(CommandError, match="Interrupted") as caught:
        call_command("import_catalog", str(path), format="cartograph", verbosity=0, stdout=out, **options)
    assert caught.value.returncode == 130
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [False, True])
def test_interrupted_import_tells_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool) -> None:
    def save_product(*, data: Any) -> Any:
        saved = real(data=data)
        if data.slug == "c":
            raise KeyboardInterrupt
        return saved

    real = importing.save_product
    monkeypatch.setattr(importing, "save_product", save_product)
    path = tmp_path / "catalog.jsonl"
    path.write_bytes(lines(*(product(slug, slug.upper()) for slug in "abcd")))
    report = interrupted(path, dry_run=dry_run)
    assert report.startswith(DRY) is dry_run
    assert ["products", "2", "0", "0", "0"] in [line.split() for line in report.splitlines()]
    assert "2 rows were read; 0 of them were skipped." in report
    assert list(Product.objects.order_by("slug").values_list("slug", flat=True)) == ([] if dry_run else ["a", "b"])
    assert temporary_tables() == []


@pytest.mark.django_db
def test_import_that_is_interrupted_before_it_begins_has_done_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(path: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "_count_lines", count)
    path = tmp_path / "catalog.jsonl"
    path.write_bytes(lines(product("a", "A")))
    assert "0 rows were read" in interrupted(path)
    assert not Product.objects.exists()
