"""Our own catalog files: nothing is lost, and the same file twice changes nothing."""

import codecs
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.catalog.models import Attribute, Category, Product, ProductImage, ProductVariant
from backend.catalog.services import (
    AttributeData,
    CategoryData,
    HistoryData,
    ImageData,
    OptionData,
    PriceData,
    ProductData,
    VariantData,
    save_attribute,
    save_category,
    save_product,
)
from backend.inventory.models import Location, StockLevel
from backend.vendors.models import Vendor, VendorStatus
from backend.vendors.services import save_vendor
from tests.backend.transfer.conftest import Run, everything
from tests.factories.catalog import make_product, make_stock

pytestmark = pytest.mark.django_db
Export = Callable[[], bytes]
HEADER = b'{"cartograph":{"version":1}}\n'
LONG = "".join(chr(0x4E00 + number) for number in range(2000))  # no two alike, so that nothing shortens it


def fill_shop() -> Product:
    """One of everything, with a value in every column."""
    save_vendor(slug="north", name="North", description="Wool", status=VendorStatus.APPROVED)
    german = {"de": {"name": "Kleidung", "description": "Zum Anziehen"}}
    save_category(data=CategoryData(slug="clothes", name="Clothes", description="To wear", translations=german))
    image = {"image": "categories/hats.webp", "image_width": 8, "image_height": 6}
    save_category(data=CategoryData(slug="hats", name="Hats", parent="clothes", **image))
    save_category(data=CategoryData(slug="attic", name="Attic"))
    for key, kind in (("material", "TEXT"), ("weight", "NUMBER"), ("waterproof", "BOOLEAN")):
        save_attribute(data=AttributeData(key=key, label=key.title(), kind=kind, position=3, translations=german))
    saved = save_product(
        data=ProductData(
            slug="hat",
            name="Hat",
            description="Own words",
            description_html="<p>Warm</p>",
            category_id=Category.objects.get(slug="hats").pk,
            vendor_id=Vendor.objects.get().pk,
            brand="North",
            tags=["b", "a"],
            options=[OptionData(name="Size", values=["L", "S"])],
            status="DRAFT",
            published_at=datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
            seo_title="T",
            seo_description="D",
            translations={"de": {"name": "Hut", "terms": {"Size": "Größe"}}},
            images=[
                ImageData(source_url="https://x.example/a.jpg", alt="A", position=2),
                ImageData(file="products/hat.webp", width=80, height=60, position=5),
            ],
            attributes={"material": "wool", "weight": Decimal("1.250000"), "waterproof": False},
            history=HistoryData(created_at=datetime(2020, 1, 1, tzinfo=UTC), sales_count=7, rating_count=2),
            variants=[
                VariantData(
                    sku="HAT-L",
                    name="Large",
                    options={"Size": "L"},
                    barcode="012",
                    position=4,
                    image=1,
                    weight_grams=90,
                    requires_shipping=False,
                    taxable=False,
                    stock_policy="PREORDER",
                    max_per_order=3,
                    translations={"de": {"name": "Groß"}},
                    prices=[
                        PriceData(currency="USD", amount=1050, compare_at=2000, cost=300),
                        PriceData(currency="EUR", amount=900),
                        PriceData(currency="JPY", amount=1500),
                    ],
                ),
                VariantData(sku="HAT-S", options={"Size": "S"}, position=9),
            ],
        )
    )
    large = ProductVariant.objects.get(pk=saved.variant_ids[0])
    make_stock(large, on_hand=5, reserved=2)
    make_stock(large, on_hand=0, location="Shop")
    make_product("Other", slug="other", variants=2)
    return Product.objects.get(pk=saved.product_id)


def empty_shop() -> None:
    for model in (Product, Category, Attribute, Vendor, Location):
        model.objects.all().delete()


def line(**product: Any) -> bytes:
    """A file with one product of these fields."""
    return HEADER + orjson.dumps({"product": {"slug": "hat", "name": "Hat", "variants": [], **product}}) + b"\n"


def variant(**fields: Any) -> dict[str, Any]:
    return {"sku": "HAT", "position": 0, **fields}


def test_export_into_an_empty_shop_exports_the_same_bytes(run_import: Run, export: Export) -> None:
    fill_shop()
    before = export()
    empty_shop()
    assert "Skipped" not in run_import(before, "cartograph")
    assert export() == before
    assert before.count(b"\n") == 1 + 1 + 3 + 3 + 2


def test_every_column_comes_back(run_import: Run, export: Export) -> None:
    def values(product: Product) -> dict[str, Any]:
        hidden = {"id", "category_id", "vendor_id", "updated_at"}
        return {
            name: value
            for name, value in Product.objects.filter(pk=product.pk).values()[0].items()
            if name not in hidden
        }

    old = values(fill_shop())
    text = export()
    empty_shop()
    run_import(text, "cartograph")
    product = Product.objects.get(slug="hat")
    assert values(product) == old
    assert (product.category.slug, product.vendor.slug) == ("hats", "north")  # type: ignore[union-attr]
    assert [(each.depth, each.slug) for each in Category.objects.order_by("path")] == [
        (1, "clothes"),
        (2, "hats"),
        (1, "attic"),
    ]
    large = product.variants.get(sku="HAT-L")
    assert large.image is not None
    assert large.image.file.name == "products/hat.webp"
    assert set(large.prices.values_list("currency", "amount", "compare_at", "cost")) == {
        ("USD", 1050, 2000, 300),
        ("EUR", 900, None, None),
        ("JPY", 1500, None, None),
    }
    assert set(large.stock_levels.values_list("location__name", "on_hand")) == {("Main warehouse", 5), ("Shop", 0)}


def test_importing_the_shops_own_export_writes_nothing(run_import: Run, export: Export) -> None:
    fill_shop()
    text = export()
    before = everything()
    report = run_import(text, "cartograph")
    assert everything() == before
    rows = [row.split()[1:] for row in report.splitlines()[1:5]]
    assert rows == [["0", "0", "1", "0"], ["0", "0", "3", "0"], ["0", "0", "3", "0"], ["0", "0", "2", "0"]]


def test_dry_run_writes_nothing(run_import: Run, export: Export) -> None:
    fill_shop()
    text = export()
    empty_shop()
    before = everything()
    dry = run_import(text, "cartograph", dry_run=True)
    assert everything() == before
    assert dry == "Dry run: nothing was written.\n" + run_import(text, "cartograph")


def test_export_to_the_standard_output_is_the_same(export: Export, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    fill_shop()
    expected = export()
    call_command("export_catalog", stderr=StringIO())
    assert capfdbinary.readouterr().out == expected


def test_export_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_catalog", str(tmp_path / "nowhere" / "a.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_image_files_go_along_when_a_folder_is_given(run_import: Run, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "first")
    fill_shop()
    default_storage.save("products/hat.webp", ContentFile(b"picture"))
    target, files = tmp_path / "catalog.jsonl", tmp_path / "files"
    err = StringIO()
    call_command("export_catalog", str(target), media_dir=files, stderr=err)
    assert "2 image files named, 1 copied" in err.getvalue()
    empty_shop()
    settings.MEDIA_ROOT = str(tmp_path / "second")
    report = run_import(target, "cartograph", media_dir=files)
    assert "'categories/hats.webp' is not in the media folder" in report
    assert default_storage.open("products/hat.webp").read() == b"picture"
    assert ProductImage.objects.filter(file="products/hat.webp").exists()


def picture_in_a_tree() -> bytes:
    """A category with an image, and one below it: adding a child reads its parent anew."""
    image = {"image": "categories/hats.webp", "image_width": 8, "image_height": 6}
    rows = [{"slug": "hats", "name": "Hats", **image}, {"slug": "caps", "name": "Caps", "parent": "hats"}]
    return HEADER + b"".join(orjson.dumps({"category": row}) + b"\n" for row in rows)


@pytest.mark.parametrize("options", [{}, {"dry_run": True}, {"files": "empty"}, {"files": "full", "dry_run": True}])
def test_images_that_are_nowhere_are_a_note_and_the_rest_is_imported(
    run_import: Run, tmp_path: Path, settings: Any, options: dict[str, Any]
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    folder = tmp_path / "files"
    (folder / "categories").mkdir(parents=True)
    files = options.pop("files", "")
    if files == "full":
        (folder / "categories" / "hats.webp").write_bytes(b"picture")
    report = run_import(picture_in_a_tree(), "cartograph", media_dir=folder if files else None, **options)
    assert ["categories", "2", "0", "0", "0"] in [row.split() for row in report.splitlines()]
    assert ("'categories/hats.webp' is not in the media folder" in report) is (files != "full")
    assert Category.objects.count() == (0 if options else 2)


def test_rows_without_sizes_are_read_without_opening_files() -> None:
    Category.objects.add_root({"slug": "hats", "name": "Hats", "image": "categories/hats.webp"})
    image = ProductImage.objects.create(product=make_product(), file="products/hat.webp")
    image.refresh_from_db()
    category = Category.objects.get()
    category.refresh_from_db()
    assert (category.image_width, image.width) == (None, None)


def test_stock_that_changed_is_an_update(run_import: Run) -> None:
    text = line(variants=[variant(stock={"Shop": 4})])
    run_import(text, "cartograph")
    before = Product.objects.get().updated_at
    assert "1          0          0" in run_import(text.replace(b"4", b"6"), "cartograph")
    assert (StockLevel.objects.get().on_hand, Product.objects.get().updated_at) == (6, before)


def test_fields_that_are_absent_stay(run_import: Run) -> None:
    fill_shop()
    before = everything()
    run_import(
        HEADER + b'{"attribute":{"key":"weight","label":"Weight"}}\n{"vendor":{"slug":"north","name":"North"}}\n',
        "cartograph",
    )
    assert everything() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER + b"rubbish\n", "it is not JSON"),
        (HEADER + b"[1]\n", "it is not an object with one key"),
        (HEADER + b'{"product": {}, "vendor": {}}\n', "it is not an object with one key"),
        (HEADER + b'{"shoe": {}}\n', "it is neither a vendor, category, attribute nor product"),
        (HEADER + b'{"product": 5}\n', "product: it is not an object"),
        (HEADER + b'{"category": {"slug": "a", "name": "A", "parent": "b"}}\n', "parent: There is no category 'b'"),
        (HEADER + b'{"category": {"slug": "a b", "name": "A"}}\n', "slug: Slug"),
        (HEADER + b'{"attribute": {"key": "a", "label": "A", "kind": "SHAPE"}}\n', "kind: Kind"),
        (line(name=5), "product.name: it is not a text"),
        (line(prize=5), "product: there is no field 'prize'"),
        (line(category="nowhere"), "product.category: there is no category 'nowhere'"),
        (line(vendor="nobody"), "product.vendor: there is no vendor 'nobody'"),
        (line(attributes={"x": "y"}), "product.attributes.x: there is no such attribute"),
        (line(published_at="2025-01-01"), "product.published_at: it has no time zone"),
        (line(published_at="soon"), "product.published_at: it is not a time"),
        (line(created_at=None), "product.created_at: it is not a text"),
        (line(translations={"de": 5}), "product.translations: it is not an object"),
        (
            line(images=[{"file": "../../etc/passwd", "position": 0}]),
            "product.images[0].file: it is not the name of a file",
        ),
        (
            line(images=[{"file": "a.webp", "position": 0}]),
            "images.0.width: An image file comes with its width and height",
        ),
        (line(variants=[{}]), "product.variants[0].sku: it is missing"),
        (line(variants=[variant(stock={"Shop": -1})]), "product.variants[0].stock: it is not a whole number"),
        (line(variants=[variant(weight_grams=True)]), "product.variants[0].weight_grams: it is not a whole number"),
        (
            line(variants=[variant(prices={"USD": {"amount": 5.5}})]),
            "product.variants[0].prices.USD.amount: it is not a text",
        ),
        (line(variants=[variant(prices={"USD": {"amount": "5.555"}})]), "USD amounts have at most 2 decimal digits"),
        (line(variants=[variant(), variant()]), "variants.1.sku: The SKU 'HAT' is given twice."),
        (line(variants=[variant(max_per_order=0)]), "variants.0.max_per_order: A limit per order is 1 or more"),
        (line(variants=[variant(stock={"": 1})]), "product.variants[0].stock: a location's name has 1 to 200"),
        (line(variants=[variant(stock={" ": 1})]), "product.variants[0].stock: a location's name has 1 to 200"),
        (line(variants=[variant(stock={"x" * 201: 1})]), "product.variants[0].stock: a location's name has 1 to 200"),
        (line(variants=[variant(stock={"\x00": 1})]), "product.variants[0].stock: it has a NUL character"),
        (
            line(options=[{"name": "Size", "values": [LONG]}], variants=[variant(options={"Size": LONG})]),
            "variants.0.options: The options of a variant are too long.",
        ),
        (line(category="\x00"), "product.category: it has a NUL character"),
        (line(vendor="\x00"), "product.vendor: it has a NUL character"),
        (line(rating_average="-1"), "history.rating_average: A rating is from 0 to 5."),
        (line(created_at="0001-01-01T00:00:00+14:00"), "product.created_at: it is not within the years"),
        (line(published_at="9999-12-31T23:59:59-14:00"), "product.published_at: it is not within the years"),
        (
            line(images=[{"file": "x" * 101, "width": 1, "height": 1, "position": 0}]),
            "product.images[0].file: it has more than 100 characters",
        ),
        (HEADER + b'{"category": {"slug": "a", "name": "A", "parent": "\\u0000"}}\n', "parent: it has a NUL"),
    ],
)
def test_impossible_line_is_skipped_and_the_rest_imported(run_import: Run, text: bytes, reason: str) -> None:
    report = run_import(text + b'{"product":{"slug":"good","name":"Good","variants":[]}}\n', "cartograph")
    assert reason in report
    assert "  line 2: " in report
    assert list(Product.objects.values_list("slug", flat=True)) == ["good"]
    assert not Category.objects.exists()


def test_file_may_begin_with_a_byte_order_mark(run_import: Run) -> None:
    run_import(codecs.BOM_UTF8 + line(), "cartograph")
    assert Product.objects.get().slug == "hat"


def test_image_that_is_a_folder_is_a_note(run_import: Run, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    files = tmp_path / "files"
    for folder in (tmp_path / "media" / "here", files / "there"):
        folder.mkdir(parents=True)
    images = [{"file": name, "width": 1, "height": 1, "position": 0} for name in ("here", "there")]
    report = run_import(line(images=images), "cartograph", media_dir=files)
    assert "The image file 'here' is a folder in the shop's media." in report
    assert "The image file 'there' is not in the media folder." in report
    assert Product.objects.get().images.count() == 2
    call_command("export_catalog", str(tmp_path / "out.jsonl"), media_dir=tmp_path / "out", stderr=(err := StringIO()))
    assert "2 image files named, 0 copied" in err.getvalue()


def test_tree_that_is_too_deep_is_cut_with_a_reason(run_import: Run) -> None:
    rows = [{"slug": f"c-{n}", "name": "C", "parent": f"c-{n - 1}" if n else None} for n in range(64)]
    rows += [{"slug": "d-0", "name": "D"}, {"slug": "d-1", "name": "D", "parent": "d-0"}]
    rows += [{"slug": "d-0", "name": "D", "parent": "c-61"}]
    report = run_import(HEADER + b"".join(orjson.dumps({"category": row}) + b"\n" for row in rows), "cartograph")
    assert report.count("parent: Categories stand at most 63 levels deep.") == 2
    assert Category.objects.count() == 65
    assert Category.objects.find_problems() == ([], [], [], [], [])


def test_impossible_attribute_value_is_skipped(run_import: Run) -> None:
    fill_shop()
    before = everything()
    for key, value in (("material", 5), ("weight", "heavy"), ("weight", 1.5), ("waterproof", "yes")):
        assert f"product.attributes.{key}: it is " in run_import(
            line(slug="new", attributes={key: value}), "cartograph"
        )
    assert everything() == before


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
amounts = st.integers(0, 10**12)


@st.composite
def products(draw: st.DrawFn) -> ProductData:
    options = [
        OptionData(name=name, values=draw(st.lists(words, min_size=1, max_size=3, unique=True)))
        for name in draw(st.lists(words, max_size=2, unique=True))
    ]
    images = [
        ImageData(source_url=f"https://x.example/{number}.jpg", alt=draw(words), position=draw(st.integers(0, 3)))
        for number in range(draw(st.integers(0, 2)))
    ]
    choices = st.fixed_dictionaries({option.name: st.sampled_from(option.values) for option in options})
    chosen = draw(st.lists(choices, max_size=3, unique_by=lambda each: frozenset(each.items())))
    variants = [
        VariantData(
            options=each,
            position=draw(st.integers(0, 3)),
            image=draw(st.sampled_from([None, *range(len(images))])),
            max_per_order=draw(st.none() | st.integers(1, 9)),
            translations={"de": {"name": draw(words)}},
            prices=[
                PriceData(currency=currency, amount=draw(amounts), compare_at=draw(st.none() | amounts))
                for currency in draw(st.lists(st.sampled_from(["USD", "EUR", "JPY", "KWD"]), unique=True))
            ],
        )
        for each in chosen
    ]
    return ProductData(
        slug="product",
        name=draw(words),
        description_html=draw(words),
        tags=draw(st.lists(words, max_size=3)),
        status=draw(st.sampled_from(["DRAFT", "ACTIVE", "ARCHIVED"])),
        published_at=draw(st.none() | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))),
        translations={"de": {"name": draw(words), "terms": {draw(words): draw(words)}}},
        options=options,
        images=images,
        variants=variants,
        history=HistoryData(sales_count=draw(st.integers(0, 999)), rating_average=draw(st.decimals(0, 5, places=2))),
    )


@examples(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(products())
def test_any_product_survives_the_round_trip(run_import: Run, export: Export, data: ProductData) -> None:
    with transaction.atomic():
        save_product(data=data)
        before = export()
        rows = everything()
        run_import(before, "cartograph")
        assert everything() == rows
        empty_shop()
        run_import(before, "cartograph")
        assert export() == before
        transaction.set_rollback(True)
