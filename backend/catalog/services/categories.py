"""Saving categories in the tree, and finding or making them by their names."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.text import slugify

from backend.catalog.models import Category
from backend.catalog.services.data import CategoryData
from backend.core.errors import Invalid, NotFound, refuse
from backend.core.saving import KEEP, Outcome, assign, given, problems

MAX_DEPTH = Category._meta.get_field("path").max_length // Category.steplen
_CHECKED = ("name", "description", "translations", "image_width", "image_height")
_COLUMNS = (*_CHECKED, "image")


@transaction.atomic
def save_category(*, data: CategoryData) -> Outcome:
    """Create the category of that slug, or bring it in step with the data: texts, parent, and order if it is told.

    Raises NotFound when the parent is unknown, Invalid when it stands below the category itself.
    """
    refuse(problems(Category, {"slug": data.slug, **given(data, _CHECKED)}))
    if data.image not in (KEEP, "") and not (isinstance(data.image_width, int) and isinstance(data.image_height, int)):
        raise Invalid("An image file comes with its width and height.", field=["image"])
    category = Category.objects.filter(slug=data.slug).first()
    parent = None if data.parent is None else _category(data.parent)
    if category is None:
        _add(Category(slug=data.slug, **given(data, _COLUMNS)), parent)
        return Outcome.CREATED
    moved = _move(category, parent, data.after)
    changed = _change(category, data)
    return Outcome.UPDATED if moved or changed else Outcome.UNCHANGED


@transaction.atomic
def category_at(*, names: Sequence[str]) -> Category:
    """The category of that path of names from the root down; what is missing of it is made."""
    parent: Category | None = None
    for name in names:
        found = _children(parent).filter(name__iexact=name).first()
        if found is None:
            refuse(problems(Category, {"name": name}))
            found = _add(Category(name=name, slug=_free_slug(name, parent)), parent)
        parent = found
    if parent is None:
        raise Invalid("A category has a name.", field=["category"])
    return parent


def _category(slug: str) -> Category:
    category = Category.objects.filter(slug=slug).first()
    if category is None:
        raise NotFound(f"There is no category {slug!r}.", field=["parent"])
    return category


def _children(parent: Category | None) -> QuerySet[Category]:
    if parent is None:
        return Category.objects.filter(depth=1)
    return Category.objects.filter(depth=parent.depth + 1, path__startswith=parent.path)


def _refuse_too_deep(parent: Category | None, levels: int) -> None:
    """Raise Invalid where that many levels have no room below the parent."""
    if (parent.depth if parent else 0) + levels > MAX_DEPTH:
        raise Invalid(f"Categories stand at most {MAX_DEPTH} levels deep.", field=["parent"])


def _add(category: Category, parent: Category | None) -> Category:
    _refuse_too_deep(parent, 1)
    if parent is None:
        Category.objects.add_root(instance=category)
    else:
        parent.refresh_from_db()  # the tree is counted on the instance, which may be older than its last child
        Category.objects.add_child(parent, instance=category)
    return category


def _move(category: Category, parent: Category | None, after: str | None) -> bool:
    """Put the category below its parent, and behind the sibling `after` if it stands before it."""
    here = category.path[: -Category.steplen]
    if here != (parent.path if parent else ""):
        if parent is not None and parent.path.startswith(category.path):
            raise Invalid("A category cannot stand below itself.", field=["parent"])
        below = Category.objects.filter(path__startswith=category.path).aggregate(deepest=Max("depth"))
        _refuse_too_deep(parent, below["deepest"] - category.depth + 1)
        _move_to(category, parent)
        return True
    sibling = _children(parent).filter(slug=after).first() if after else None
    if sibling is None or sibling.path < category.path:
        return False
    Category.objects.move(category, sibling, "right")
    category.refresh_from_db()
    return True


def _move_to(category: Category, parent: Category | None) -> None:
    if parent is not None:
        Category.objects.move(category, parent, "last-child")
    else:
        Category.objects.move(category, Category.objects.filter(depth=1).order_by("path").last(), "right")
    category.refresh_from_db()


def _change(category: Category, data: CategoryData) -> bool:
    """Write the columns that differ, and no others: those of the tree may have moved on."""
    changed = assign(category, given(data, _COLUMNS))
    if changed:
        category.save(update_fields=[*changed, "updated_at"])
    return bool(changed)


def _free_slug(name: str, parent: Category | None) -> str:
    """A slug from the name; where it is taken, with the parent's before it; else with a number behind it."""
    base = slugify(name)[:180] or "category"
    longer = f"{parent.slug}-{base}"[:180] if parent else base
    candidates = [base, longer]
    taken = set(Category.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= set(Category.objects.filter(slug__startswith=longer).values_list("slug", flat=True))
    number = 1
    while candidates[0] in taken:
        candidates.pop(0)
        if not candidates:
            number += 1
            candidates = [f"{longer}-{number}"]
    return candidates[0]
