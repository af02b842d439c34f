"""Saving whole products."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.catalog.models import (
    Attribute,
    Product,
    ProductAttribute,
    ProductImage,
    ProductListing,
    ProductVariant,
    StockPolicy,
    VariantPrice,
)
from backend.catalog.services import (
    HistoryData,
    ImageData,
    OptionData,
    PriceData,
    ProductData,
    SavedProduct,
    VariantData,
    refresh_listings,
    save_product,
)
from backend.core.errors import DomainError, Several
from backend.core.models import OutboxEvent
from backend.core.saving import Outcome
from tests.factories.catalog import make_category, make_product, make_variant, set_prices

pytestmark = pytest.mark.django_db


def usd(amount: int, **fields: Any) -> PriceData:
    return PriceData(currency="USD", amount=amount, **fields)


def shirt(**changes: Any) -> ProductData:
    data = ProductData(
        slug="shirt",
        name="Élan Shirt",
        description_html="<p>Soft &amp; warm</p>",
        options=[OptionData(name="Size", values=["S", "M"])],
        tags=["linen", "summer"],
        status="ACTIVE",
        images=[
            ImageData(source_url="https://images.example/a.jpg"),
            ImageData(source_url="https://images.example/b.jpg"),
        ],
        variants=[
            VariantData(sku="SHIRT-S", options={"Size": "S"}, prices=[usd(1000, compare_at=1500)], image=1),
            VariantData(sku="SHIRT-M", options={"Size": "M"}, prices=[usd(1200)], position=1),
        ],
    )
    return replace(data, **changes)


def save(data: ProductData) -> SavedProduct:
    return save_product(data=data)


def variants(product_id: int) -> dict[str, int]:
    rows = ProductVariant.objects.filter(product_id=product_id, deleted_at__isnull=True)
    return dict(rows.values_list("sku", "pk"))


def everything() -> list[Any]:
    models = [Product, ProductVariant, VariantPrice, ProductImage, ProductAttribute, ProductListing, OutboxEvent]
    return [list(model.objects.order_by("pk").values()) for model in models]


def refusals(data: ProductData) -> list[list[str]]:
    """The places that are refused; asserts that nothing was written."""
    before = everything()
    with pytest.raises(DomainError) as caught:
        save(data)
    assert everything() == before
    error = caught.value
    return [part.field for part in error.errors] if isinstance(error, Several) else [error.field]


def test_new_product_has_its_variants_prices_images_and_listing() -> None:
    saved = save(shirt())
    product = Product.objects.get(pk=saved.product_id)
    first, second = product.variants.order_by("position")
    assert saved.outcome is Outcome.CREATED
    assert saved.variant_ids == [first.pk, second.pk]
    assert (product.name_key, product.description) == ("elan shirt", "Soft & warm")
    assert product.options == [{"name": "Size", "values": ["S", "M"]}]
    assert (first.name, first.image.source_url, second.image) == ("S", "https://images.example/b.jpg", None)
    listing = product.listings.get()
    assert (listing.price_min, listing.price_max, listing.compare_at_max, listing.discount_percent) == (
        1000,
        1200,
        1500,
        33,
    )
    assert [(event.topic, event.key) for event in OutboxEvent.objects.all()] == [("product.changed", str(product.pk))]


def test_same_data_again_writes_nothing() -> None:
    save(shirt())
    before = everything()
    with CaptureQueriesContext(
        connection,
    ) as statements:
        saved = save(shirt())
    assert saved.outcome is Outcome.UNCHANGED
    assert everything() == before
    assert not [each for each in statements if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_changed_price_changes_the_listing_and_announces_the_product() -> None:
    first = save(shirt())
    OutboxEvent.objects.all().delete()
    data = shirt()
    dearer = replace(data.variants[1], prices=[usd(9900)])
    saved = save(replace(data, variants=[data.variants[0], dearer]))
    assert saved == SavedProduct(first.product_id, Outcome.UPDATED, first.variant_ids)
    assert ProductListing.objects.get().price_max == 9900
    assert OutboxEvent.objects.get().topic == "product.changed"


def test_vanished_variant_is_deleted_softly_and_the_others_keep_their_ids() -> None:
    first = save(shirt())
    save(shirt(options=[OptionData(name="Size", values=["M"])], variants=[shirt().variants[1]]))
    gone = ProductVariant.objects.get(pk=first.variant_ids[0])
    assert gone.deleted_at is not None
    assert variants(first.product_id) == {"SHIRT-M": first.variant_ids[1]}
    assert ProductListing.objects.get().price_min == 1200


def test_variant_with_a_new_sku_is_found_by_its_options() -> None:
    first = save(shirt())
    renamed = replace(shirt().variants[0], sku="SHIRT-SMALL")
    save(shirt(variants=[renamed, shirt().variants[1]]))
    assert variants(first.product_id) == {"SHIRT-SMALL": first.variant_ids[0], "SHIRT-M": first.variant_ids[1]}


def test_variants_may_swap_their_options() -> None:
    first = save(shirt())
    small, medium = shirt().variants
    saved = save(shirt(variants=[replace(small, options={"Size": "M"}), replace(medium, options={"Size": "S"})]))
    assert saved.variant_ids == first.variant_ids
    assert ProductVariant.objects.get(pk=first.variant_ids[0]).options == {"Size": "M"}
    assert ProductVariant.objects.get(pk=first.variant_ids[1]).options == {"Size": "S"}


def test_missing_sku_is_made_from_slug_and_options_and_stays() -> None:
    nameless = [replace(each, sku="") for each in shirt().variants]
    first = save(shirt(variants=nameless))
    assert set(variants(first.product_id)) == {"SHIRT-S", "SHIRT-M"}
    ProductVariant.objects.filter(pk=first.variant_ids[0]).update(sku="RENAMED")
    assert save(shirt(variants=nameless)).outcome is Outcome.UNCHANGED


def test_made_skus_never_collide() -> None:
    make_variant(sku="SHIRT-M")
    values = ["C", "C++", "C#", "M"]
    data = shirt(
        options=[OptionData(name="Size", values=values)],
        variants=[VariantData(options={"Size": value}, prices=[usd(1)]) for value in values],
    )
    first = save(data)
    skus = variants(first.product_id)
    assert len(skus) == 4
    assert "SHIRT-C" in skus
    assert "SHIRT-M" not in skus
    assert save(data).outcome is Outcome.UNCHANGED


def test_very_long_and_foreign_slugs_get_short_skus() -> None:
    long = save(shirt(slug="a" * 255, variants=[VariantData(options={})], options=[]))
    foreign = save(shirt(slug="日本", variants=[VariantData(options={})], options=[]))
    assert all(1 < len(sku) <= 100 for sku in [*variants(long.product_id), *variants(foreign.product_id)])


def test_merge_keeps_other_currencies_and_attributes() -> None:
    Attribute.objects.create(key="material", label="Material")
    Attribute.objects.create(key="fit", label="Fit")
    save(shirt(attributes={"material": "linen"}))
    variant = ProductVariant.objects.get(sku="SHIRT-S")
    VariantPrice.objects.create(variant=variant, currency="EUR", amount=900)
    save(shirt(attributes={"fit": "loose"}, merge=True))
    assert VariantPrice.objects.filter(variant=variant).count() == 2
    assert set(ProductAttribute.objects.values_list("attribute__key", flat=True)) == {"material", "fit"}
    save(shirt(attributes={"fit": "loose"}))
    assert VariantPrice.objects.get(variant=variant).currency == "USD"
    assert ProductAttribute.objects.get().text == "loose"


def test_images_keep_their_ids_and_their_order_follows_the_data() -> None:
    first = save(shirt())
    before = dict(ProductImage.objects.values_list("source_url", "pk"))
    second, third = (
        ImageData(source_url="https://images.example/b.jpg"),
        ImageData(source_url="https://images.example/c.jpg", position=1),
    )
    variants_without = [replace(each, image=None) for each in shirt().variants]
    save(shirt(images=[second, third], variants=variants_without))
    after = dict(ProductImage.objects.order_by("position").values_list("source_url", "pk"))
    assert list(after) == ["https://images.example/b.jpg", "https://images.example/c.jpg"]
    assert after["https://images.example/b.jpg"] == before["https://images.example/b.jpg"]
    assert ProductVariant.objects.get(pk=first.variant_ids[0]).image is None


def test_unnamed_columns_stay_and_new_rows_get_defaults() -> None:
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    category = make_category()
    saved = save(
        shirt(published_at=moment, category_id=category.pk, brand="Élan", translations={"de": {"name": "Hemd"}})
    )
    assert save(shirt()).outcome is Outcome.UNCHANGED
    product = Product.objects.get(pk=saved.product_id)
    assert (product.published_at, product.category, product.brand) == (moment, category, "Élan")
    assert ProductVariant.objects.get(sku="SHIRT-M").stock_policy == StockPolicy.DENY


def test_history_is_taken_for_a_new_product_only() -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    saved = save(shirt(history=HistoryData(created_at=moment, sales_count=7, rating_average=Decimal("4.50"))))
    again = save(shirt(history=HistoryData(created_at=datetime(2025, 1, 1, tzinfo=UTC), sales_count=1)))
    product = Product.objects.get(pk=saved.product_id)
    assert again.outcome is Outcome.UNCHANGED
    assert (product.created_at, product.sales_count, product.rating_average) == (moment, 7, Decimal("4.50"))


def test_html_is_cleaned_in_every_language() -> None:
    evil = '<p onclick="x()">Hi<script>alert(1)</script></p>'
    saved = save(shirt(description_html=evil, translations={"de": {"description_html": evil}}))
    product = Product.objects.get(pk=saved.product_id)
    assert (product.description_html, product.description) == ("<p>Hi</p>", "Hi")
    assert product.translations == {"de": {"description_html": "<p>Hi</p>", "description": "Hi"}}


def test_deleted_product_makes_room_for_a_new_one() -> None:
    first = save(shirt())
    Product.objects.update(deleted_at=datetime(2024, 1, 1, tzinfo=UTC))
    ProductVariant.objects.update(deleted_at=datetime(2024, 1, 1, tzinfo=UTC))
    second = save(shirt())
    assert second.outcome is Outcome.CREATED
    assert second.product_id != first.product_id


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"slug": "two words"}, [["slug"]]),
        ({"name": ""}, [["name"]]),
        ({"name": "a\x00b"}, [["name"]]),
        ({"name": "x" * 256}, [["name"]]),
        ({"tags": ["x" * 101]}, [["tags"]]),
        ({"status": "SOLD"}, [["status"]]),
        ({"images": [ImageData(source_url="javascript:x")], "variants": []}, [["images", "0", "source_url"]]),
        ({"images": [ImageData(file="a.webp")], "variants": []}, [["images", "0", "width"]]),
        ({"images": [ImageData()], "variants": []}, [["images", "0"]]),
        ({"attributes": {"unknown": "x"}}, [["attributes", "unknown"]]),
        ({"options": []}, [["variants", "0", "options"], ["variants", "1", "options"]]),
        ({"options": [OptionData(name="Size", values=["S", "M", "M"])]}, [["options", "0"]]),
    ],
)
def test_impossible_product_is_refused_and_nothing_written(changes: dict[str, Any], places: list[list[str]]) -> None:
    assert refusals(shirt(**changes)) == places


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"sku": "SHIRT-S"}, "sku"),
        ({"sku": "TAKEN"}, "sku"),
        ({"options": {"Size": "S"}}, "options"),
        ({"weight_grams": -1}, "weight_grams"),
        ({"stock_policy": "MAYBE"}, "stock_policy"),
        ({"image": 9}, "image"),
    ],
)
def test_impossible_variant_is_refused_and_nothing_written(changes: dict[str, Any], place: str) -> None:
    make_variant(sku="TAKEN")
    small, medium = shirt().variants
    assert refusals(shirt(variants=[small, replace(medium, **changes)])) == [["variants", "1", place]]


@pytest.mark.parametrize(
    "price", [usd(-1), usd(10**12 + 1), usd(1, compare_at=-1), PriceData(currency="usd", amount=1)]
)
def test_impossible_price_is_refused_and_nothing_written(price: PriceData) -> None:
    [place] = refusals(shirt(options=[], images=[], variants=[VariantData(options={}, prices=[price])]))
    assert place[:4] == ["variants", "0", "prices", "0"]


def test_refused_change_leaves_the_product_as_it_was() -> None:
    save(shirt())
    Attribute.objects.create(key="waterproof", label="Waterproof", kind="BOOLEAN")
    assert refusals(shirt(name="Other", attributes={"waterproof": "perhaps"})) == [["attributes", "waterproof"]]


def test_listings_follow_prices_in_every_currency() -> None:
    product = make_product(variants=2, prices={"USD": 1000, "EUR": 900})
    first, second = product.variants.order_by("position")
    set_prices(first, {"USD": 500}, {"USD": 1000})
    assert set(product.listings.values_list("currency", "price_min", "price_max", "discount_percent")) == {
        ("USD", 500, 1000, 50),
        ("EUR", 900, 900, 0),
    }
    VariantPrice.objects.filter(currency="EUR").delete()
    refresh_listings([product.pk])
    assert list(product.listings.values_list("currency", flat=True)) == ["USD"]
    assert second.deleted_at is None


def test_listings_of_a_thousand_products_take_one_statement() -> None:
    ids = [make_product().pk for _ in range(3)]
    ProductListing.objects.all().delete()
    with CaptureQueriesContext(connection) as statements:
        refresh_listings([*ids, *range(10**6, 10**6 + 1000)])
    assert len(statements) == 1
    assert ProductListing.objects.count() == 6
