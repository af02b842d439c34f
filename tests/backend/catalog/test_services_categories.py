"""The category tree and the attributes, as importers write them."""

import json
from pathlib import Path

import pytest

from backend.catalog.models import Attribute, Category
from backend.catalog.services import AttributeData, CategoryData, category_at, save_attribute, save_category
from backend.core.errors import Invalid, NotFound
from backend.core.saving import Outcome
from tests.factories.catalog import make_attribute, make_category, make_product

pytestmark = pytest.mark.django_db
TREE = Path(__file__).resolve().parents[4] / "shared" / "data" / "category-tree.json"


def tree() -> list[tuple[int, str]]:
    return list(Category.objects.order_by("path").values_list("depth", "slug"))


def save(slug: str, **fields: str | None) -> Outcome:
    return save_category(data=CategoryData(slug=slug, name=slug.capitalize(), **fields))


def test_path_of_names_makes_a_tree_once() -> None:
    lamps = category_at(names=["Home & Garden", "Lamps"])
    assert category_at(names=["home & garden", "LAMPS"]) == lamps
    assert category_at(names=["Home & Garden", "Pots"]).depth == 2
    assert tree() == [(1, "home-garden"), (2, "lamps"), (2, "pots")]
    assert Category.objects.find_problems() == ([], [], [], [], [])


def test_same_name_elsewhere_gets_a_slug_of_its_own() -> None:
    slugs = [category_at(names=names).slug for names in (["A", "Sale"], ["B", "Sale"], ["B", "Sale!"], ["C", "???"])]
    assert slugs == ["sale", "b-sale", "b-sale-2", "category"]


def test_nameless_and_endless_categories_are_refused() -> None:
    with pytest.raises(Invalid):
        category_at(names=[])
    with pytest.raises(Invalid):
        category_at(names=["x" * 201])
    assert not Category.objects.exists()


def test_saving_a_category_twice_changes_nothing() -> None:
    assert save("home") is Outcome.CREATED
    assert save("lamps", parent="home") is Outcome.CREATED
    before = list(Category.objects.values())
    assert [save("home"), save("lamps", parent="home")] == [Outcome.UNCHANGED] * 2
    assert list(Category.objects.values()) == before


def test_category_moves_to_another_parent_and_back_to_the_root() -> None:
    for slug in ("a", "b"):
        save(slug)
    save("c", parent="a")
    assert save("c", parent="b") is Outcome.UPDATED
    assert tree() == [(1, "a"), (1, "b"), (2, "c")]
    assert save("c") is Outcome.UPDATED
    assert tree() == [(1, "a"), (1, "b"), (1, "c")]
    assert Category.objects.find_problems() == ([], [], [], [], [])


def test_order_among_siblings_follows_the_data() -> None:
    for slug in ("a", "b", "c"):
        save(slug)
    assert [save("c"), save("a", after="c"), save("b", after="a")] == [
        Outcome.UNCHANGED,
        Outcome.UPDATED,
        Outcome.UPDATED,
    ]
    assert tree() == [(1, "c"), (1, "a"), (1, "b")]


def test_category_below_itself_or_below_nothing_is_refused() -> None:
    save("a")
    save("b", parent="a")
    with pytest.raises(Invalid):
        save("a", parent="b")
    with pytest.raises(NotFound):
        save("c", parent="nowhere")
    assert tree() == [(1, "a"), (2, "b")]


def test_image_of_a_category_is_named_without_reading_the_file() -> None:
    data = CategoryData(slug="a", name="A", image="categories/a.webp", image_width=8, image_height=6)
    assert [save_category(data=data), save_category(data=data)] == [Outcome.CREATED, Outcome.UNCHANGED]
    changed = CategoryData(slug="a", name="A", image="categories/b.webp", image_width=9, image_height=6)
    assert save_category(data=changed) is Outcome.UPDATED
    assert Category.objects.values_list("image", "image_width").get() == ("categories/b.webp", 9)


def test_attribute_keeps_its_kind_while_it_has_values() -> None:
    assert save_attribute(data=AttributeData(key="size", label="Size")) is Outcome.CREATED
    assert save_attribute(data=AttributeData(key="size", label="Size", kind="NUMBER")) is Outcome.UPDATED
    assert save_attribute(data=AttributeData(key="size", label="Size")) is Outcome.UNCHANGED
    make_attribute(make_product(), "size", number=3)
    with pytest.raises(Invalid):
        save_attribute(data=AttributeData(key="size", label="Size", kind="TEXT"))
    assert Attribute.objects.get().kind == "NUMBER"


@pytest.mark.skipif(not TREE.exists(), reason="the real category tree is not beside this checkout")
def test_real_tree_of_a_retailer_is_built_with_distinct_slugs() -> None:
    rows = json.loads(TREE.read_text(encoding="utf-8"))[:150]
    paths = {tuple(step["name"] for step in row["path"]) for row in rows if all(step["name"] for step in row["path"])}
    for names in sorted(paths):
        category_at(names=names)
    made = {names[:length] for names in paths for length in range(1, len(names) + 1)}
    assert Category.objects.count() == len({tuple(name.casefold() for name in names) for names in made})
    assert Category.objects.find_problems() == ([], [], [], [], [])


def test_parent_may_be_older_than_its_last_child() -> None:
    root = make_category("A")
    make_category("B", parent=root)
    category_at(names=["A", "C"])
    assert Category.objects.get(pk=root.pk).numchild == 2
