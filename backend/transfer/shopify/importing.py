"""Importing a Shopify export: product by product, each whole or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from backend.catalog.models import Attribute
from backend.catalog.services import AttributeData, category_at, save_attribute, save_product
from backend.core.errors import DomainError
from backend.core.saving import Outcome
from backend.inventory.services import set_on_hand
from backend.transfer.errors import BadRows
from backend.transfer.locations import Locations
from backend.transfer.report import Report
from backend.transfer.running import Unit
from backend.transfer.shopify.files import CsvFile, open_csv
from backend.transfer.shopify.groups import Group, Scan, groups, scan
from backend.transfer.shopify.products import ATTRIBUTES, GIFT_CARD, Parsed, parse_product

REASON = "imported"


class ShopifyImport:
    """A file that was looked at and can be imported. `total_rows` are the rows that have anything in them."""

    def __init__(self, path: Path, *, currency: str, location: str | None, report: Report) -> None:
        self._file: CsvFile = open_csv(path)
        self._scan: Scan = scan(self._file.rows())
        self._currency = currency
        self._locations = Locations()
        self._location = location
        self._report = report
        self._categories: dict[tuple[str, ...], int] = {}
        self._attributes: set[str] = set()
        self.total_rows = self._scan.rows
        report.note(self._file.notes)
        if "quantity" not in self._file.columns:
            report.note(["The file has no quantities: stock stays as it is."])

    def units(self) -> Iterator[Unit]:
        for group in groups(self._file.rows(), self._scan):
            lines = [row.line for row in group.rows]
            name = group.slug or group.rows[0].cells.get("title", "(without a handle)")
            yield Unit("products", name, lines, partial(self._save, group), self._forget)

    def _save(self, group: Group) -> Outcome:
        parsed = parse_product(group, columns=self._file.columns, currency=self._currency)
        try:
            outcome = self._save_parsed(parsed)
        except DomainError as error:
            raise BadRows(parsed.explain(error)) from error
        self._tell(group, parsed)
        return outcome

    def _save_parsed(self, parsed: Parsed) -> Outcome:
        data = parsed.data
        if parsed.category:
            data = replace(data, category_id=self._category(parsed.category))
        for key in data.attributes if isinstance(data.attributes, dict) else ():
            self._ensure_attribute(key)
        saved = save_product(data=data)
        stock = zip(saved.variant_ids, parsed.quantities, strict=True)
        quantities = {variant_id: units for variant_id, units in stock if units is not None}
        moved = self._set_stock(quantities) if quantities else 0
        return Outcome.UPDATED if moved and saved.outcome is Outcome.UNCHANGED else saved.outcome

    def _set_stock(self, quantities: dict[int, int]) -> int:
        location = self._locations.named(self._location)
        return set_on_hand(quantities=quantities, location=location, reason=REASON)

    def _tell(self, group: Group, parsed: Parsed) -> None:
        for line, reason in parsed.skipped:
            self._report.skip_rows([line], group.slug, [reason])
        self._report.note(parsed.notes)
        if group.slug in self._scan.apart:
            lines = ", ".join(str(row.line) for row in group.rows[:10])
            self._report.note([f"The rows of {group.slug!r} stand apart (lines {lines}); they are one product."])

    def _category(self, names: list[str]) -> int:
        key = tuple(names)
        if key not in self._categories:
            self._categories[key] = category_at(names=names).pk
        return self._categories[key]

    def _ensure_attribute(self, key: str) -> None:
        if key in self._attributes:
            return
        self._attributes.add(key)
        if not Attribute.objects.filter(key=key).exists():
            label = "Gift card" if key == GIFT_CARD else ATTRIBUTES[key.replace("-", "_")]
            kind = Attribute.Kind.BOOLEAN if key == GIFT_CARD else Attribute.Kind.TEXT
            save_attribute(data=AttributeData(key=key, label=label, kind=kind))

    def _forget(self) -> None:
        """Categories and attributes that were made for a product are gone when it is rolled back."""
        self._categories.clear()
        self._locations.clear()
        self._attributes.clear()
