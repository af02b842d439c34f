"""Totals as pure arithmetic over minor units: the same code for carts and orders, so that they agree."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinePrice:
    """A line's amounts: `total = unit_price x quantity - discount`."""

    unit_price: int
    quantity: int
    discount: int = 0
    tax: int = 0

    @property
    def total(self) -> int:
        return self.unit_price * self.quantity - self.discount


@dataclass(frozen=True, slots=True)
class Totals:
    """`total = subtotal - discount + shipping`, and `+ tax` where prices do not include it."""

    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


def line_totals(lines: Iterable[LinePrice], *, shipping: int = 0, prices_include_tax: bool = False) -> Totals:
    """Sum up lines. What a line is reduced by is part of the discount, so that the parts always add up."""
    priced = list(lines)
    subtotal = sum(line.unit_price * line.quantity for line in priced)
    discount = sum(line.discount for line in priced)
    tax = sum(line.tax for line in priced)
    total = subtotal - discount + shipping + (0 if prices_include_tax else tax)
    return Totals(subtotal=subtotal, discount=discount, shipping=shipping, tax=tax, total=total)
