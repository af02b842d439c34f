"""From the rows of one product to what the catalog saves, with the line that each part comes from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from backend.catalog.models import ProductStatus
from backend.catalog.services import AttributeValue, ImageData, OptionData, PriceData, ProductData, VariantData
from backend.core.errors import DomainError
from backend.core.saving import KEEP, Keep
from backend.transfer.errors import BadRows, BadValue
from backend.transfer.shopify import values
from backend.transfer.shopify.columns import COLUMNS
from backend.transfer.shopify.files import Row
from backend.transfer.shopify.groups import Group

T = TypeVar("T")
D = TypeVar("D")
ATTRIBUTES = {"gender": "Gender", "age_group": "Age group", "condition": "Condition", "type": "Type"}
"""Columns that become attribute values, with the attributes' labels; `type` only beside a category of its own."""
GIFT_CARD = "gift-card"
_OPTION_NUMBERS = ("1", "2", "3")
_OF_A_VARIANT = ("option1_value", "option2_value", "option3_value", "sku", "price", "barcode")
_NO_OPTIONS = {"Title": "Default Title"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """`data` lacks the category, which `category` names from the root down. Quantities are in the variants' order."""

    data: ProductData
    category: list[str]
    quantities: list[int | None]
    variant_lines: list[int]
    skipped: list[tuple[int, str]]
    notes: list[str]

    def explain(self, error: DomainError) -> list[str]:
        """What the catalog refuses, told by line and column instead of by place in the data."""
        return [self._explain(part) for part in error.parts]

    def _explain(self, error: DomainError) -> str:
        match error.field:
            case ["variants", number, *_]:
                return f"line {self.variant_lines[int(number)]}: {error.message}"
            case _:
                return error.message


@dataclass(slots=True)
class _Reader:
    """Reads cells, collecting what is wrong with them, so that a report names all of it at once."""

    columns: frozenset[str]
    currency: str
    reasons: list[str] = field(default_factory=list)

    def read(self, row: Row, name: str, parse: Callable[[str], T], default: D) -> T | D:
        cell = row.cells.get(name)
        if cell is None:
            return default
        try:
            return parse(cell)
        except BadValue as error:
            self.reasons.append(f"line {row.line}: {COLUMNS[name][0]}: {error}")
            return default

    def refuse(self, line: int, reason: str) -> None:
        self.reasons.append(f"line {line}: {reason}")

    def price(self, cell: str) -> int:
        return values.price(cell, self.currency)


def parse_product(group: Group, *, columns: frozenset[str], currency: str) -> Parsed:
    """Understand the rows of one product. Raises BadRows naming every line that cannot be meant.

    Each product-wide cell counts where it is filled first; empty ones repeat the product above. A row that says
    again which variant an earlier row said is passed over.
    """
    reader = _Reader(columns, currency)
    for row in group.rows:
        if row.problem:
            reader.refuse(row.line, row.problem)
    rows = sorted(group.rows, key=lambda row: row.line)
    first = _first_cells(rows)
    if not group.slug:
        reader.refuse(rows[0].line, "it has neither a handle nor a title that an address can be made of.")
    elif "title" not in first.cells:
        reader.refuse(rows[0].line, "the product has no title.")
    skipped: list[tuple[int, str]] = []
    images = _Images(reader, rows)
    option_names, variant_rows = _variant_rows(rows, reader, skipped)
    variants = [_variant(row, options, reader, images, n) for n, (row, options) in enumerate(variant_rows)]
    data = _product(group.slug, first, reader, option_names, variants, images.data())
    quantities = [reader.read(row, "quantity", _quantity, None) for row, _ in variant_rows]
    if reader.reasons:
        raise BadRows(reader.reasons)
    lines = [row.line for row, _ in variant_rows]
    return Parsed(data, _category(first), quantities, lines, skipped, _notes(group, rows, first))


def _quantity(cell: str) -> int | None:
    return values.quantity(cell)


def _first_cells(rows: Sequence[Row]) -> Row:
    """A row of the cells that are filled first; its line is that of the first row."""
    cells: dict[str, str] = {}
    for row in rows:
        for name, cell in row.cells.items():
            cells.setdefault(name, cell)
    return Row(rows[0].line, cells)


def _variant_rows(
    rows: Sequence[Row], reader: _Reader, skipped: list[tuple[int, str]]
) -> tuple[list[str], list[tuple[Row, dict[str, str]]]]:
    """The options' names, and the rows that are variants with their options; the others are images."""
    names = _option_names(rows, reader)
    found: list[tuple[Row, dict[str, str]]] = []
    lines: dict[tuple[str, ...], int] = {}
    of_variants = [row for row in rows if any(name in row.cells for name in _OF_A_VARIANT)] or [rows[0]]
    meant = {row.line for row in of_variants}
    useless = [row.line for row in rows if row.line not in meant and not row.cells.keys() & {"image", "title"}]
    skipped.extend((line, "it is neither a variant nor an image.") for line in useless)
    for row in of_variants:
        options = _options(row, names, reader)
        key = tuple(options.values())
        if key in lines:
            skipped.append((row.line, f"line {lines[key]} has the same variant already."))
            continue
        lines[key] = row.line
        found.append((row, options))
    if [options for _, options in found] == [_NO_OPTIONS]:
        return [], [(found[0][0], {})]
    return list(names.values()), found


def _option_names(rows: Sequence[Row], reader: _Reader) -> dict[str, str]:
    """Number of the option -> its name, for those options that any row has a value for."""
    names: dict[str, str] = {}
    for number in _OPTION_NUMBERS:
        if any(f"option{number}_value" in row.cells for row in rows):
            cells = (row.cells.get(f"option{number}_name") for row in rows)
            names[number] = next((cell for cell in cells if cell), "Title" if number == "1" else f"Option {number}")
    if len(set(names.values())) < len(names):
        reader.refuse(rows[0].line, "two options have the same name.")
    return names


def _options(row: Row, names: Mapping[str, str], reader: _Reader) -> dict[str, str]:
    options = {name: row.cells.get(f"option{number}_value", "") for number, name in names.items()}
    for name, value in options.items():
        if not value:
            reader.refuse(row.line, f"the variant has no value for {name!r}.")
    return options


def _variant(row: Row, options: Mapping[str, str], reader: _Reader, images: "_Images", position: int) -> VariantData:
    if "price" not in row.cells:
        reader.refuse(row.line, f"{COLUMNS['price'][0]}: the variant has no price.")
    return VariantData(
        options=options,
        name=" / ".join(options.values())[:255],
        position=position,
        sku=reader.read(row, "sku", values.identifier, ""),
        barcode=reader.read(row, "barcode", values.identifier, "") if "barcode" in reader.columns else KEEP,
        prices=[_price(row, reader)],
        image=images.of_variant(row),
        weight_grams=reader.read(row, "grams", values.grams, KEEP),
        requires_shipping=reader.read(row, "shipping", values.boolean, KEEP),
        taxable=reader.read(row, "taxable", values.boolean, KEEP),
        stock_policy=reader.read(row, "policy", values.stock_policy, KEEP),
    )


def _price(row: Row, reader: _Reader) -> PriceData:
    compare_at: int | Keep | None = KEEP
    if "compare_at" in reader.columns:
        compare_at = reader.read(row, "compare_at", reader.price, 0) or None  # Shopify writes 0 for "not reduced"
    cost: int | Keep | None = reader.read(row, "cost", reader.price, KEEP)
    amount = reader.read(row, "price", reader.price, 0)
    return PriceData(currency=reader.currency, amount=amount, compare_at=compare_at, cost=cost)


def _product(
    slug: str,
    first: Row,
    reader: _Reader,
    names: Sequence[str],
    variants: Sequence[VariantData],
    images: Sequence[ImageData] | Keep,
) -> ProductData:
    def text(name: str) -> str | Keep:
        return first.cells.get(name, "") if name in reader.columns else KEEP

    return ProductData(
        slug=slug,
        name=first.cells.get("title", ""),
        description_html=text("body"),
        brand=text("vendor"),
        tags=reader.read(first, "tags", values.tags, []) if "tags" in reader.columns else KEEP,
        status=_status(first, reader),
        seo_title=text("seo_title"),
        seo_description=text("seo_description"),
        options=[
            OptionData(name=name, values=list(dict.fromkeys(variant.options[name] for variant in variants)))
            for name in dict.fromkeys(names)
        ],
        variants=variants,
        images=images,
        attributes=_attributes(first, reader),
        merge=True,
    )


def _status(first: Row, reader: _Reader) -> str:
    """Active products that are not published in the online store are drafts here."""
    status = reader.read(first, "status", values.status, ProductStatus.ACTIVE)
    published = reader.read(first, "published", values.boolean, True)
    return ProductStatus.DRAFT if status == ProductStatus.ACTIVE and not published else status


def _attributes(first: Row, reader: _Reader) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    for name in ATTRIBUTES:
        if name in first.cells and (name != "type" or first.cells.get("category")):
            found[name.replace("_", "-")] = first.cells[name]
    if reader.read(first, "gift_card", values.boolean, False):
        found[GIFT_CARD] = True
    return found


def _category(first: Row) -> list[str]:
    names = values.category_names(first.cells.get("category", ""))
    return names or values.category_names(first.cells.get("type", ""))


def _notes(group: Group, rows: Sequence[Row], first: Row) -> list[str]:
    title = first.cells["title"]
    others = [row.line for row in rows if row.cells.get("title", title) != title]
    found = [f"line {line}: another title for {group.slug!r}; {title!r} was taken." for line in others]
    if first.cells.get("status", "").lower() == "unlisted":
        found.append(f"line {rows[0].line}: unlisted products are drafts here.")
    return found


class _Images:
    """A product's images in the order of their positions, each address once; and which of them a variant has."""

    def __init__(self, reader: _Reader, rows: Sequence[Row]) -> None:
        self._reader = reader
        found: dict[str, tuple[int, Row]] = {}
        for number, row in enumerate(rows, start=1):
            address = reader.read(row, "image", values.url, "")
            place = reader.read(row, "image_position", values.position, number)
            if address:
                found.setdefault(address, (place, row))
        ordered = sorted(found, key=lambda address: found[address][0])
        self._alts: dict[str, Any] = {address: found[address][1].cells.get("image_alt", "") for address in ordered}
        for row in rows:
            address = reader.read(row, "variant_image", values.url, "")
            if address:
                self._alts.setdefault(address, "")
        self._numbers = {address: number for number, address in enumerate(self._alts)}

    def of_variant(self, row: Row) -> int | Keep | None:
        if "variant_image" not in self._reader.columns or not self._numbers:
            return KEEP
        cell = row.cells.get("variant_image")
        try:
            return self._numbers.get(values.url(cell)) if cell else None
        except BadValue:
            return KEEP  # reported when the addresses were collected

    def data(self) -> Sequence[ImageData] | Keep:
        """A product for which the file has no image at all keeps the images it has."""
        if not self._numbers:
            return KEEP
        return [
            ImageData(source_url=address, alt=self._alts[address], position=number)
            for address, number in self._numbers.items()
        ]
