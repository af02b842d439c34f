"""Facets: counts, and labels in the context's language."""

from typing import Any

import pytest

from backend.catalog.models import Attribute
from tests.conftest import Gql
from tests.factories.catalog import make_attribute, make_product, make_variant

pytestmark = pytest.mark.django_db
FACETS = """query ($filter: ProductFilter) @inContext(language: %s) { products(first: 1, filter: $filter) {
  totalCount facets { key label kind values { value label count } } } }"""
COLORS = {"de": {"terms": {"Color": "Farbe", "Moss": "Moos", "gift": "Geschenk"}}}


def facets(gql: Gql, language: str, filter: Any = None) -> dict[str, dict[str, Any]]:
    found = gql(FACETS % language, filter=filter)["products"]["facets"]
    return {facet["key"]: facet for facet in found}


def labels(facet: dict[str, Any]) -> dict[str, str]:
    return {value["value"]: value["label"] for value in facet["values"]}


def make_chair(color: str, *, stock: int = 1, **fields: Any) -> Any:
    product = make_product(variants=0, options=[{"name": "Color", "values": [color]}], **fields)
    make_variant(product, options={"Color": color}, stock=stock)
    return product


def test_labels_speak_the_contexts_language_and_values_never_change(gql: Gql) -> None:
    # given
    chair = make_chair("Moss", brand="Oak", tags=["gift", "new"], translations=COLORS)
    make_chair("Unheard of", brand="Oak", stock=0)
    make_attribute(chair, "material", text="Wool")
    german = {"label": "Stoff", "terms": {"Wool": "Wolle"}}
    Attribute.objects.filter(key="material").update(label="Material", translations={"de": german})
    # when
    english, german_ones = facets(gql, "EN"), facets(gql, "DE")
    # then
    keys = ["brands", "tags", "available", "options.Color", "attributes.material"]
    assert list(english) == list(german_ones) == keys
    assert [english[key]["label"] for key in keys] == ["Brand", "Tag", "Availability", "Color", "Material"]
    assert [german_ones[key]["label"] for key in keys] == ["Marke", "Schlagwort", "Verfügbarkeit", "Farbe", "Stoff"]
    assert labels(english["available"]) == {"true": "In stock", "false": "Sold out"}
    assert labels(german_ones["available"]) == {"true": "Auf Lager", "false": "Ausverkauft"}
    assert labels(german_ones["options.Color"]) == {"Moss": "Moos", "Unheard of": "Unheard of"}
    assert labels(german_ones["tags"]) == {"gift": "Geschenk", "new": "new"}
    assert labels(german_ones["brands"]) == {"Oak": "Oak"}
    assert labels(german_ones["attributes.material"]) == {"Wool": "Wolle"}
    assert labels(english["attributes.material"]) == {"Wool": "Wool"}


def test_where_products_disagree_about_a_word_most_of_them_decide(gql: Gql) -> None:
    for word in ("Moos", "Moosgrün", "Moosgrün"):
        make_chair("Moss", translations={"de": {"terms": {"Moss": word}}})
    assert labels(facets(gql, "DE")["options.Color"]) == {"Moss": "Moosgrün"}


@pytest.mark.parametrize("translations", [{"de": {"terms": []}}, {"de": {"terms": "x"}}, {"de": {}}, {"de": []}, {}])
def test_translations_of_another_shape_leave_the_labels_as_they_are(gql: Gql, translations: Any) -> None:
    make_chair("Moss", translations=translations)
    assert labels(facets(gql, "DE")["options.Color"]) == {"Moss": "Moss"}


def test_a_count_is_of_the_value_alone_where_its_facet_has_a_choice_already(gql: Gql) -> None:
    for brand in ("Oak", "Oak", "Elm"):
        make_product(brand=brand)
    facet = facets(gql, "EN", {"brands": ["Elm"]})["brands"]
    assert {value["value"]: value["count"] for value in facet["values"]} == {"Oak": 2, "Elm": 1}
    both = gql(FACETS % "EN", filter={"brands": ["Elm", "Oak"]})["products"]
    assert both["totalCount"] == 3


def test_attribute_counts_are_what_the_list_would_have(gql: Gql) -> None:
    for n in range(7):
        product = make_product(brand="Oak" if n % 2 else "Elm")
        make_attribute(product, "material", text=["Wool", "Linen", ""][n % 3])
        make_attribute(product, "handmade", boolean=True)
    chosen = {"brands": ["Oak"], "attributes": [{"key": "material", "values": ["Wool"]}]}
    found = facets(gql, "EN", chosen)
    assert "attributes.handmade" not in found
    assert {value["value"] for value in found["attributes.material"]["values"]} == {"Wool", "Linen"}
    for value in found["attributes.material"]["values"]:
        wanted = {**chosen, "attributes": [{"key": "material", "values": [value["value"]]}]}
        assert gql(FACETS % "EN", filter=wanted)["products"]["totalCount"] == value["count"]


def test_a_tag_or_option_that_a_product_has_twice_counts_once(gql: Gql) -> None:
    product = make_product(variants=0, tags=["a", "a"], options=[])
    for size in ("S", "M"):
        make_variant(product, options={"Color": "Moss", "Size": size})
    found = facets(gql, "EN")
    assert [value["count"] for value in found["tags"]["values"]] == [1]
    assert [value["count"] for value in found["options.Color"]["values"]] == [1]
    assert found["available"]["kind"] == "BOOLEAN"
    assert {facet["kind"] for key, facet in found.items() if key != "available"} == {"LIST"}


def test_facets_take_as_many_statements_for_thirty_products_as_for_two(gql: Gql) -> None:
    counts = []
    for size in (2, 28):
        for n in range(size):
            make_attribute(make_chair(f"C{n}", tags=[f"t{n}"], brand=f"B{n}"), "material", text=f"M{n}")
        answer = gql(FACETS % "DE")
        assert answer.errors == []
        counts.append(answer.statements)
    assert counts[0] == counts[1]
