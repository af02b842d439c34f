"""Why stock says no."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backend.core.errors import DomainError, Several


class Shortage(NamedTuple):
    """A variant with fewer units than were asked for."""

    variant_id: int
    requested: int
    available: int


class NotEnoughStock(DomainError):
    """One variant is short."""

    code = "OUT_OF_STOCK"
    default_message = "There are not enough units."


class OutOfStock(Several):
    """Every variant that is short, as `shortages`; `where` is variant id -> the path of the input that asked for it."""

    code = "OUT_OF_STOCK"

    def __init__(self, shortages: Sequence[Shortage], *, where: Mapping[int, Sequence[str]] | None = None) -> None:
        self.shortages = list(shortages)
        paths = where or {}
        super().__init__([not_enough(each, field=paths.get(each.variant_id, ())) for each in shortages])


def not_enough(shortage: Shortage, *, field: Sequence[str]) -> NotEnoughStock:
    if shortage.available <= 0:
        return NotEnoughStock("This is out of stock.", field=field)
    return NotEnoughStock(f"{shortage.requested} were asked for, {shortage.available} are left.", field=field)
