from hypothesis import given
from hypothesis import strategies as st

from backend.carts.pricing import LinePrice, line_totals
from backend.catalog.models import AMOUNT_MAX


@st.composite
def line_prices(draw: st.DrawFn) -> LinePrice:
    unit_price, quantity = draw(st.integers(0, AMOUNT_MAX)), draw(st.integers(1, 999))
    gross = unit_price * quantity
    return LinePrice(unit_price, quantity, discount=draw(st.integers(0, gross)), tax=draw(st.integers(0, gross)))


@given(st.lists(line_prices(), max_size=200), st.integers(0, AMOUNT_MAX), st.booleans())
def test_the_parts_of_a_total_always_add_up(lines: list[LinePrice], shipping: int, include: bool) -> None:
    totals = line_totals(lines, shipping=shipping, prices_include_tax=include)
    added_tax = 0 if include else totals.tax
    assert totals.total == totals.subtotal - totals.discount + totals.shipping + added_tax
    assert sum(line.total for line in lines) == totals.subtotal - totals.discount
    assert totals.tax == sum(line.tax for line in lines)


@given(st.lists(line_prices(), max_size=200))
def test_a_total_is_never_negative_and_fits_its_column(lines: list[LinePrice]) -> None:
    assert 0 <= line_totals(lines).total < 2**63


@given(st.lists(line_prices(), max_size=20), st.randoms())
def test_the_order_of_lines_changes_no_total(lines: list[LinePrice], random: object) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert line_totals(shuffled) == line_totals(lines)


def test_an_empty_cart_costs_nothing() -> None:
    assert line_totals([]).total == 0
