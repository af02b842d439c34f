"""Short texts of products in the context's language: alternative texts of images, attribute values."""

from typing import Any

import pytest

from backend.catalog.models import Attribute
from tests.conftest import Gql
from tests.factories.catalog import make_attribute, make_image, make_product

pytestmark = pytest.mark.django_db
GERMAN = {"de": {"name": "Stuhl", "terms": {"From behind": "Von hinten"}}}


def make_chair(**fields: Any) -> Any:
    product = make_product("Chair", translations=GERMAN, **fields)
    for alt in ("Chair", "From behind", "Elsewhere", ""):
        make_image(product, alt=alt)
    return product


@pytest.mark.parametrize(
    ("language", "expected"),
    [("EN", ["Chair", "From behind", "Elsewhere", ""]), ("DE", ["Stuhl", "Von hinten", "Elsewhere", ""])],
)
def test_alternative_texts_are_translated_wherever_the_image_is_shown(
    gql: Gql, language: str, expected: list[str]
) -> None:
    product = make_chair()
    variant = product.variants.get()
    variant.image = product.images.get(alt="From behind")
    variant.save()
    document = f"""query ($slug: String!, $sku: String!) @inContext(language: {language}) {{
      product(slug: $slug) {{ image {{ alt }} images {{ alt }} variants {{ image {{ alt }} }} }}
      variant(sku: $sku) {{ image {{ alt }} }} }}"""
    answer = gql(document, slug=product.slug, sku=variant.sku)
    assert answer["product"]["image"]["alt"] == expected[0]
    assert [image["alt"] for image in answer["product"]["images"]] == expected
    assert answer["product"]["variants"][0]["image"]["alt"] == expected[1]
    assert answer["variant"]["image"]["alt"] == expected[1]


def test_alternative_texts_take_as_many_statements_for_twelve_products_as_for_two(gql: Gql) -> None:
    document = "{ products(first: 50) { nodes { image { alt } variants { image { alt } } } } }"
    counts = []
    for size in (2, 10):
        for _ in range(size):
            make_chair(variants=3)
        counts.append(gql(document).statements)
    assert counts[0] == counts[1]


def test_attribute_values_are_translated_and_filter_values_are_not(gql: Gql) -> None:
    product = make_product()
    make_attribute(product, "material", text="Wool")
    make_attribute(product, "width", number=2.5)
    make_attribute(product, "handmade", boolean=True)
    for attribute in Attribute.objects.all():
        attribute.translations = {"de": {"terms": {"Wool": "Wolle", "2.5": "x", "true": "x"}}}
        attribute.save()
    document = """query ($slug: String!) @inContext(language: DE) {
      product(slug: $slug) { attributes { key value filterValue } } }"""
    found = {each["key"]: each for each in gql(document, slug=product.slug)["product"]["attributes"]}
    assert found["material"] == {"key": "material", "value": "Wolle", "filterValue": "Wool"}
    assert [found[key]["value"] for key in ("width", "handmade")] == ["2.5", "true"]
