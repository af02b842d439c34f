"""Importing Shopify exports: the real ones, and each pitfall by itself."""

import csv
import tracemalloc
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

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
from backend.transfer.shopify.files import open_csv
from backend.transfer.shopify.groups import groups, scan
from tests.backend.transfer.conftest import Run, everything
from tests.factories.catalog import make_product, make_stock

pytestmark = pytest.mark.django_db
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.exists(), reason="the real catalogs (../shared/data) are not beside this checkout")


def table(*rows: dict[str, Any], **file: Any) -> str:
    """A CSV text of rows by column; a row without a handle gets "shirt"."""
    columns = list(dict.fromkeys(["Handle", "Title", "Variant Price", *(name for row in rows for name in row)]))
    text = StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n", **file)
    writer.writeheader()
    writer.writerows({"Handle": "shirt", **row} for row in rows)
    return text.getvalue()


def first(**cells: Any) -> dict[str, Any]:
    return {
        "Title": "Shirt",
        "Variant Price": "10.00",
        **{name.replace("_", " "): cell for name, cell in cells.items()},
    }


def sizes(*values: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"Option1 Value": value, "Variant Price": "10.00"} for value in values]
    rows[0] |= {"Title": "Shirt", "Option1 Name": "Size"}
    return rows


def counts(report: str) -> list[int]:
    """Created, updated, unchanged and skipped products."""
    [line] = [line for line in report.splitlines() if line.startswith("products")]
    return [int(cell.replace(",", "")) for cell in line.split()[1:]]


@real
@pytest.mark.parametrize(("name", "variants"), [("apparel", 22), ("home-and-garden", 21)])
def test_real_export_is_imported_whole_and_twice_changes_nothing(run_import: Run, name: str, variants: int) -> None:
    assert counts(run_import(DATA / f"{name}.csv")) == [20, 0, 0, 0]
    assert ProductVariant.objects.count() == VariantPrice.objects.count() == variants
    assert Product.objects.filter(status="ACTIVE", listings__currency="USD").count() == 20
    before = everything()
    assert counts(run_import(DATA / f"{name}.csv")) == [0, 0, 20, 0]
    assert everything() == before


@real
def test_real_products_have_what_their_rows_say(run_import: Run) -> None:
    run_import(DATA / "home-and-garden.csv")
    pot = Product.objects.get(slug="clay-plant-pot")
    small, large = pot.variants.order_by("position")
    assert (pot.name, pot.brand, pot.tags) == ("Clay Plant Pot", "Company 123", ["Pot", "Plants"])
    assert (pot.description_html, pot.description) == (
        "<p>Classic blown clay pot for plants</p>",
        "Classic blown clay pot for plants",
    )
    assert pot.category is not None
    assert (pot.category.name, pot.category.depth) == ("Outdoor", 1)
    assert pot.options == [{"name": "Size", "values": ["Regular", "Large"]}]
    assert [(small.sku, small.name), (large.sku, large.name)] == [
        ("CLAY-PLANT-POT-REGULAR", "Regular"),
        ("CLAY-PLANT-POT-LARGE", "Large"),
    ]
    assert [image.position for image in pot.images.order_by("position")] == [0, 1]
    assert StockLevel.objects.get(variant=large).on_hand == 3
    light = ProductVariant.objects.get(sku="COPPER-LIGHT")
    assert (light.options, light.product.options) == ({}, [])
    assert light.prices.values("amount", "compare_at", "currency").get() == {
        "amount": 5999,
        "compare_at": 7500,
        "currency": "USD",
    }
    assert light.product.listings.get().discount_percent == 20


@real
def test_dry_run_tells_the_same_and_writes_nothing(run_import: Run) -> None:
    make_product()
    before = everything()
    report = run_import(DATA / "home-and-garden.csv", dry_run=True)
    assert everything() == before
    assert report == "Dry run: nothing was written.\n" + run_import(DATA / "home-and-garden.csv")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: ("\n\n" + text + "\n,,,\n\n").encode(),
        lambda text: text.upper().replace("ÉLAN", "Élan").encode(),
        lambda text: text.encode("cp1252"),
    ],
    ids=["byte order mark", "Windows line ends", "UTF-16", "semicolons", "tabs", "blank lines", "case", "Windows-1252"],
)
def test_file_is_read_however_it_was_saved(run_import: Run, change: Any) -> None:
    report = run_import(change(table({"Handle": "a", "Title": "Élan", "Variant Price": "1"})))
    assert counts(report) == [1, 0, 0, 0]
    assert Product.objects.get().name == "Élan"
    assert ("Windows-1252" in report) == (change("é") == b"\xe9")


def test_headers_of_newer_exports_are_known(run_import: Run) -> None:
    rows = {
        "Title": "Lamp",
        "URL handle": "lamp",
        "Description": "<p>Warm</p>",
        "Product category": "Home > Lamps",
        "Published on online store": "FALSE",
        "SKU": "L1",
        "Price": "5",
        "Compare-at price": "6",
        "Inventory quantity": "7",
        "Continue selling when out of stock": "CONTINUE",
        "Weight value (grams)": "900",
        "Product image URL": "https://x.example/a.jpg",
    }
    text = StringIO()
    writer = csv.DictWriter(text, list(rows))
    writer.writeheader()
    writer.writerow(rows)
    assert counts(run_import(text.getvalue())) == [1, 0, 0, 0]
    variant = ProductVariant.objects.get()
    assert (variant.sku, variant.weight_grams, variant.stock_policy) == ("L1", 900, "BACKORDER")
    assert (variant.product.status, StockLevel.objects.get().on_hand) == ("DRAFT", 7)
    assert list(Category.objects.order_by("path").values_list("name", "depth")) == [("Home", 1), ("Lamps", 2)]


def test_three_options_make_named_variants(run_import: Run) -> None:
    names = {"Option1 Name": "Size", "Option2 Name": "Color", "Option3 Name": "Fit"}
    rows = [
        {"Option1 Value": size, "Option2 Value": color, "Option3 Value": "Slim", "Variant Price": "5"}
        for size in "SM"
        for color in ("Red", "Blue")
    ]
    run_import(table({**names, "Title": "Shirt", **rows[0]}, *rows[1:]))
    assert Product.objects.get().options == [
        {"name": "Size", "values": ["S", "M"]},
        {"name": "Color", "values": ["Red", "Blue"]},
        {"name": "Fit", "values": ["Slim"]},
    ]
    variant = ProductVariant.objects.get(sku="SHIRT-M-RED-SLIM")
    assert (variant.name, variant.options) == ("M / Red / Slim", {"Size": "M", "Color": "Red", "Fit": "Slim"})


def test_rows_that_stand_apart_are_one_product_and_reported(run_import: Run) -> None:
    small, medium, large = sizes("S", "M", "L")
    other = {"Handle": "other", "Title": "Other", "Variant Price": "1"}
    report = run_import(table(small, other, medium, large))
    assert counts(report) == [2, 0, 0, 0]
    assert "'shirt' stand apart (lines 2, 4, 5)" in report
    assert list(
        ProductVariant.objects.filter(product__slug="shirt").order_by("position").values_list("name", flat=True)
    ) == [
        "S",
        "M",
        "L",
    ]


def test_row_without_handle_belongs_to_the_product_above(run_import: Run) -> None:
    small, medium = sizes("S", "M")
    report = run_import(
        table(small, medium | {"Handle": ""}, {"Handle": "", "Title": "New Lamp!", "Variant Price": "2"})
    )
    assert counts(report) == [2, 0, 0, 0]
    assert set(ProductVariant.objects.values_list("sku", flat=True)) == {"SHIRT-S", "SHIRT-M", "NEW-LAMP"}


def test_variant_that_is_said_twice_is_taken_once_and_reported(run_import: Run) -> None:
    small, medium = sizes("S", "M")
    report = run_import(table(small, medium, medium | {"Variant Price": "99"}))
    assert counts(report) == [1, 0, 0, 0]
    assert "line 4: shirt\n    line 3 has the same variant already." in report
    assert VariantPrice.objects.filter(amount=1000).count() == 2


def test_extra_image_rows_and_variant_images(run_import: Run) -> None:
    def image(name: str) -> str:
        return f"https://x.example/{name}.jpg"

    small, medium = sizes("S", "M")
    rows = [
        small | {"Image Src": image("b"), "Image Position": "2", "Image Alt Text": "Back"},
        medium | {"Image Src": image("a"), "Image Position": "1", "Variant Image": image("v")},
        {"Image Src": image("c"), "Image Position": "3"},
        {"Image Src": image("a"), "Image Position": "4"},
    ]
    text = table(*rows)
    assert counts(run_import(text)) == [1, 0, 0, 0]
    found = ProductImage.objects.order_by("position").values_list("source_url", "alt", "position")
    assert list(found) == [(image("a"), "", 0), (image("b"), "Back", 1), (image("c"), "", 2), (image("v"), "", 3)]
    variants = ProductVariant.objects.order_by("position").values_list("image__source_url", flat=True)
    assert list(variants) == [None, image("v")]
    assert counts(run_import(text)) == [0, 0, 1, 0]


def test_missing_skus_stay_the_same_when_rows_move(run_import: Run) -> None:
    run_import(table(*sizes("S", "M", "L")))
    before = dict(ProductVariant.objects.values_list("sku", "pk"))
    run_import(table(*sizes("L", "S", "M")))
    assert dict(ProductVariant.objects.values_list("sku", "pk")) == before
    assert set(before) == {"SHIRT-S", "SHIRT-M", "SHIRT-L"}


def test_made_sku_gives_way_to_one_that_is_taken(run_import: Run) -> None:
    rows = [
        {"Handle": "a", "Title": "A", "Option1 Name": "Size", "Option1 Value": "b c", "Variant Price": "1"},
        {"Handle": "a-b", "Title": "AB", "Option1 Name": "Size", "Option1 Value": "c", "Variant Price": "1"},
    ]
    text = table(*rows)
    assert counts(run_import(text)) == [2, 0, 0, 0]
    assert ProductVariant.objects.values("sku").distinct().count() == 2
    assert counts(run_import(text)) == [0, 0, 2, 0]


def test_bad_row_skips_its_product_whole_and_no_other(run_import: Run) -> None:
    small, medium, large = sizes("S", "M", "L")
    other = {"Handle": "other", "Title": "Other", "Variant Price": "1,299.00", "Type": "Lamps"}
    bad = medium | {"Variant Price": "ten", "Variant Inventory Qty": "few"}
    report = run_import(table(small | {"Type": "Shirts"}, bad, large, other))
    assert counts(report) == [1, 0, 0, 1]
    assert "lines 2-4: shirt" in report
    assert "line 3: Variant Price: 'ten' is not a number." in report
    assert "line 3: Variant Inventory Qty: 'few' is not a number." in report
    assert Product.objects.get().slug == "other"
    assert Category.objects.get().name == "Lamps"
    assert VariantPrice.objects.get().amount == 129900
    assert OutboxEvent.objects.filter(topic="product.changed").count() == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"Title": "Shirt", "Variant Price": ""}], "line 2: Variant Price: the variant has no price."),
        ([{"Variant Price": "5"}], "line 2: the product has no title."),
        ([{"Handle": "!!!", "Title": "", "Variant Price": "5"}], "line 2: it has neither a handle nor a title"),
        ([first(Status="gone")], "line 2: Status: 'gone' is not a status"),
        ([first(Published="soon")], "line 2: Published: 'soon' is neither true nor false."),
        ([first(Image_Src="ftp://x/a.jpg")], "line 2: Image Src: 'ftp://x/a.jpg' is not the web address"),
        ([first(Variant_Image="a.jpg")], "line 2: Variant Image: 'a.jpg' is not the web address"),
        ([first(Tags="x" * 101)], "Tags: "),
        ([first(Title="x" * 256)], "Name: "),
        ([first(Type="x" * 201)], "Name: "),
        ([first(Variant_SKU="x" * 101)], "line 2: Sku: "),
        ([first(Variant_Price="99999999999999")], "line 2: Variant Price: "),
        ([first(Variant_Price="5\x00")], "line 2: Variant Price: "),
        ([first(Body_HTML="a\x00b")], "NUL"),
        (
            [*sizes("S", "M"), {"Option2 Value": "x", "Variant Price": "5"}],
            "line 4: the variant has no value for 'Size'.",
        ),
        ([first(Option1_Name="A", Option1_Value="x", Option2_Name="A", Option2_Value="y")], "line 2: two options"),
        (
            [sizes("S")[0] | {"Variant SKU": "X"}, sizes("M")[0] | {"Variant SKU": "X"}],
            "line 3: The SKU 'X' is given twice.",
        ),
        ([first(Variant_SKU="TAKEN")], "line 2: The SKU 'TAKEN' belongs to the product 'owner'."),
    ],
)
def test_impossible_product_is_skipped_with_its_line_and_reason(
    run_import: Run, rows: list[dict[str, Any]], reason: str
) -> None:
    make_product(slug="owner").variants.update(sku="TAKEN")
    before = everything()
    report = run_import(table(*rows))
    assert counts(report) == [0, 0, 0, 1]
    assert reason in report
    assert everything() == before


def test_row_with_too_many_cells_is_reported(run_import: Run) -> None:
    report = run_import("Handle,Title,Variant Price\nshirt,A shirt, blue,5\nhat,Hat,3\n")
    assert counts(report) == [1, 0, 0, 1]
    assert "line 2: it has 4 cells and the header 3" in report


def test_quotation_mark_that_is_never_closed_is_reported_with_its_line(run_import: Run) -> None:
    report = run_import('Handle,Title,Variant Price\nhat,Hat,3\nshirt,"Shirt,5\nlamp,Lamp,4\n')
    assert counts(report) == [1, 0, 0, 1]
    assert "line 3: a quotation mark is opened and never closed" in report
    assert Product.objects.get().slug == "hat"


def test_line_breaks_within_cells_do_not_shift_line_numbers(run_import: Run) -> None:
    report = run_import('Handle,Title,Body (HTML),Variant Price\nhat,Hat,"<p>a\n\nb</p>",3\nshirt,Shirt,,x\n')
    assert "line 5: Variant Price: 'x' is not a number." in report
    assert Product.objects.get().description_html == "<p>a\n\nb</p>"


def test_dangerous_html_is_cleaned(run_import: Run) -> None:
    body = '<p onclick="steal()">Hi<script>alert(1)</script><a href="javascript:x">x</a></p>'
    run_import(table(first() | {"Body (HTML)": body}))
    product = Product.objects.get()
    assert product.description_html == '<p>Hi<a rel="noopener noreferrer">x</a></p>'
    assert product.description == "Hix"


def test_columns_find_their_places(run_import: Run) -> None:
    run_import(
        table(
            first(
                Vendor="Acme",
                Tags="a, b",
                Status="archived",
                Variant_Grams="250",
                Variant_Inventory_Qty="4",
                Variant_Inventory_Policy="continue",
                Variant_Compare_At_Price="12.00",
                Variant_Requires_Shipping="false",
                Variant_Taxable="false",
                Variant_Barcode="'0123",
                Cost_per_item="6.50",
                SEO_Title="T",
                SEO_Description="D",
                Gift_Card="true",
                Type="Tops",
            )
            | {"Product Category": "Clothing > Shirts", "Google Shopping / Gender": "unisex"}
        ),
        location="Shop",
    )
    product, variant = Product.objects.get(), ProductVariant.objects.get()
    assert (product.brand, product.tags, product.status) == ("Acme", ["a", "b"], "ARCHIVED")
    assert (product.seo_title, product.seo_description) == ("T", "D")
    assert product.vendor is None
    assert product.category is not None
    assert product.category.slug == "shirts"
    assert (variant.weight_grams, variant.stock_policy, variant.barcode) == (250, "BACKORDER", "0123")
    assert (variant.requires_shipping, variant.taxable) == (False, False)
    assert VariantPrice.objects.values_list("amount", "compare_at", "cost").get() == (1000, 1200, 650)
    assert StockLevel.objects.values_list("location__name", "on_hand").get() == ("Shop", 4)
    assert StockMovement.objects.values_list("delta", "reason").get() == (4, "imported")
    attributes = ProductAttribute.objects.values_list("attribute__key", "text", "boolean")
    assert set(attributes) == {("gender", "unisex", None), ("type", "Tops", None), ("gift-card", None, True)}


def test_prices_are_in_the_currency_that_is_told(run_import: Run) -> None:
    text = table(first())
    run_import(text)
    assert counts(run_import(text, currency="EUR")) == [0, 1, 0, 0]
    assert set(VariantPrice.objects.values_list("currency", flat=True)) == {"USD", "EUR"}
    assert ProductListing.objects.count() == 2


def test_changed_price_updates_only_its_product(run_import: Run) -> None:
    rows = [{"Handle": name, "Title": name, "Variant Price": "10"} for name in ("a", "b", "c")]
    run_import(table(*rows))
    before = dict(Product.objects.values_list("slug", "updated_at"))
    rows[1]["Variant Price"] = "11"
    assert counts(run_import(table(*rows))) == [0, 1, 2, 0]
    after = dict(Product.objects.values_list("slug", "updated_at"))
    assert {slug for slug in before if before[slug] != after[slug]} == {"b"}
    assert ProductListing.objects.get(product__slug="b").price_min == 1100


def test_what_the_file_does_not_tell_stays(run_import: Run) -> None:
    run_import(table(first(Image_Src="https://x.example/a.jpg", Vendor="Acme")))
    product = Product.objects.get()
    Product.objects.update(translations={"de": {"name": "Hemd"}})
    VariantPrice.objects.create(variant=ProductVariant.objects.get(), currency="EUR", amount=900)
    before = everything()
    assert counts(run_import(table(first()))) == [0, 0, 1, 0]
    assert everything() == before
    assert product.brand == "Acme"


def test_reserved_units_are_never_counted_away(run_import: Run) -> None:
    run_import(table(first(Variant_Inventory_Qty="9")))
    make_stock(ProductVariant.objects.get(), on_hand=9, reserved=5)
    run_import(table(first(Variant_Inventory_Qty="2")))
    assert StockLevel.objects.values_list("on_hand", "reserved").get() == (5, 5)


def test_vanished_variant_is_gone_from_the_shop(run_import: Run) -> None:
    run_import(table(*sizes("S", "M")))
    assert counts(run_import(table(*sizes("M")))) == [0, 1, 0, 0]
    assert ProductVariant.objects.filter(deleted_at__isnull=True).get().sku == "SHIRT-M"


def test_unknown_columns_are_named(run_import: Run) -> None:
    report = run_import(table(first(Color="red") | {"Google Shopping / MPN": "x"}))
    assert "These columns are not read: Color." in report


def test_attribute_made_for_a_skipped_product_is_made_again(run_import: Run) -> None:
    gender = {"Google Shopping / Gender": "male", "Type": "Tops"}
    bad = first() | gender | {"Handle": "bad", "Variant SKU": "x" * 101}
    assert counts(run_import(table(bad, first() | gender))) == [1, 0, 0, 1]
    assert (Attribute.objects.get().key, Category.objects.get().name) == ("gender", "Tops")
    assert Location.objects.count() == 0


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """5,000 rows of 50 products."""
    path = tmp_path / "large.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Handle", "Title", "Body (HTML)", "Option1 Name", "Option1 Value", "Variant Price"])
        for product in range(50):
            for number in range(100):
                head = (
                    [f"Product {product}", "<p>" + "words " * 2000 + "</p>", "Number"] if number == 0 else ["", "", ""]
                )
                writer.writerow([f"product-{product}", *head, str(number), "10.00"])
    return path


def test_five_thousand_rows_are_imported(run_import: Run, large: Path) -> None:
    report = run_import(large)
    assert counts(report) == [50, 0, 0, 0]
    assert "5,000 rows were read; 0 of them were skipped." in report
    assert ProductVariant.objects.count() == ProductListing.objects.count() * 100 == 5000


def test_rows_stream_through_little_memory(large: Path) -> None:
    with large.open() as file:
        text = file.read()
    large.write_text(text + "".join(text.partition("\n")[2].replace("product-", f"product-{n}-") for n in range(9)))
    assert large.stat().st_size > 3_000_000
    tracemalloc.start()
    try:
        file = open_csv(large)
        found = sum(len(group.rows) for group in groups(file.rows(), scan(file.rows())))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == 50_000
    assert peak < 1_000_000
