"""Several lists of products that are counted in one statement."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import CharField, F, Q, Value
from django.db.models.expressions import Combinable

from backend.catalog.models import Category

STEPS = Category.steplen


@dataclass(frozen=True, slots=True)
class Lists:
    """`size` lists, told apart by a column of the products: statements count per value of it ("group").

    `holding` gives the numbers of the lists that a group's products are in.
    """

    size: int
    column: str
    holding: Callable[[str], Iterable[int]]

    def group(self, through: str = "") -> Combinable:
        """The column; `through` leads to the product (`product__`)."""
        return F(through + self.column) if self.column else Value("", CharField())


ONE_LIST = Lists(1, "", lambda _group: (0,))


def subtrees(categories: Sequence[Category]) -> tuple[Q, Lists]:
    """The categories' products, subtrees included: a condition on products for all of them, and whose is which."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, category in enumerate(categories):
        numbers[category.path].append(number)

    def holding(path: str) -> list[int]:
        return [number for above in _down_to(path) for number in numbers.get(above, ())]

    below = Q(pk__in=[])
    for path in numbers:
        if not any(above in numbers for above in _down_to(path)[:-1]):
            below |= Q(category__path__startswith=path)
    return below, Lists(len(categories), "category__path", holding)


def _down_to(path: str) -> list[str]:
    """The paths from the root down to this one."""
    return [path[:end] for end in range(STEPS, len(path) + 1, STEPS)]
