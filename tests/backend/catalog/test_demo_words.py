"""The demo shop speaks German wherever its texts can be translated."""

import pytest

from backend.core.saving import Keep
from backend.transfer.demo.catalog import _ProductWriter
from backend.transfer.demo.files import read_products, read_words


def test_every_option_value_and_tag_has_a_german_word() -> None:
    used: set[str] = set()
    for product in read_products():
        used.update(product["options"], product["tags"], *product["options"].values())
    assert used - read_words()["terms_de"].keys() == set()


@pytest.mark.parametrize("key", ["material", "care"])
def test_every_text_of_an_attribute_has_a_german_word(key: str) -> None:
    [attribute] = [each for each in read_words()["attributes"] if each["key"] == key]
    used = {str(product["attributes"][key]) for product in read_products() if key in product["attributes"]}
    assert used == attribute["values_de"].keys()


@pytest.mark.django_db
def test_tags_are_among_a_products_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.transfer.demo.catalog._draw", lambda shape, palette, folder: f"{folder}/{shape}.webp")
    product = next(each for each in read_products() if "gift" in each["tags"] and "vendor" not in each)
    writer = _ProductWriter()
    writer._categories[product["category"]] = 1
    data = writer._data(product, 0)
    assert not isinstance(data.translations, Keep)
    assert not isinstance(data.images, Keep)
    assert data.translations["de"]["terms"]["gift"] == "Geschenk"
    assert {image.alt for image in data.images} == {product["name"]}  # shown in German as the name is
