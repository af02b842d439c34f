"""Importing a Cartograph file: line by line, each whole or not at all."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from backend.catalog.models import Attribute, Category
from backend.catalog.services import ProductData, save_attribute, save_category, save_product
from backend.core.errors import DomainError
from backend.core.saving import Keep, Outcome
from backend.inventory.services import set_on_hand
from backend.transfer.cartograph import HEADER, VERSION
from backend.transfer.cartograph.media import MediaFiles
from backend.transfer.cartograph.parsing import (
    ParsedProduct,
    parse_attribute,
    parse_category,
    parse_product,
    parse_vendor,
)
from backend.transfer.errors import BadFile, BadRows, BadValue
from backend.transfer.locations import Locations
from backend.transfer.reading import CHUNK_BYTES, read_start
from backend.transfer.report import Report
from backend.transfer.running import Unit
from backend.vendors.models import Vendor
from backend.vendors.services import save_vendor

REASON = "imported"


class CartographImport:
    """A file that was looked at and can be imported. `total_rows` are its lines below the first."""

    def __init__(self, path: Path, *, media: MediaFiles, report: Report) -> None:
        _check_header(path)
        self._path = path
        self._report = report
        self._media = media
        self._locations = Locations()
        self._ids: dict[tuple[str, str], int] = {}
        self._kinds: dict[str, str] | None = None
        self._last_child: dict[str | None, str] = {}
        self.total_rows = _count_lines(path) - 1

    def units(self) -> Iterator[Unit]:
        readers: dict[str, tuple[str, Callable[[Any], Outcome]]] = {
            "vendor": ("vendors", self._vendor),
            "category": ("categories", self._category),
            "attribute": ("attributes", self._attribute),
            "product": ("products", self._product),
        }
        with self._path.open("rb") as file:
            for line, text in enumerate(file, start=1):
                if line == 1 or not text.strip():
                    continue
                name, value = _parse(text)
                kind, read = readers.get(name, ("others", _unknown))
                yield Unit(kind, _title(value), [line], partial(_save, read, value), self._forget)

    def _vendor(self, value: Any) -> Outcome:
        return save_vendor(**parse_vendor(value))

    def _category(self, value: Any) -> Outcome:
        data = parse_category(value)
        data = replace(data, after=self._last_child.get(data.parent))
        outcome = save_category(data=data)
        self._last_child[data.parent] = data.slug
        if isinstance(data.image, str):
            self._media.want(data.image)
        return outcome

    def _attribute(self, value: Any) -> Outcome:
        self._kinds = None
        return save_attribute(data=parse_attribute(value))

    def _product(self, value: Any) -> Outcome:
        parsed = parse_product(value, self._kind)
        data = self._placed(parsed)
        saved = save_product(data=data)
        moved = 0
        for location, units in parsed.stock.items():
            quantities = {saved.variant_ids[index]: each for index, each in units.items()}
            moved += set_on_hand(quantities=quantities, location=self._locations.named(location), reason=REASON)
        for image in () if isinstance(data.images, Keep) else data.images:
            self._media.want(image.file)
        return Outcome.UPDATED if moved and saved.outcome is Outcome.UNCHANGED else saved.outcome

    def _placed(self, parsed: ParsedProduct) -> ProductData:
        """The product's data with the ids of its category and vendor."""
        data = parsed.data
        if not isinstance(parsed.category, Keep):
            data = replace(data, category_id=self._id("category", parsed.category))
        if not isinstance(parsed.vendor, Keep):
            data = replace(data, vendor_id=self._id("vendor", parsed.vendor))
        return data

    def _id(self, kind: str, slug: str | None) -> int | None:
        if slug is None:
            return None
        if (kind, slug) not in self._ids:
            rows = Category.objects.filter(slug=slug) if kind == "category" else Vendor.objects.filter(slug=slug)
            found = rows.values_list("pk", flat=True).first()
            if found is None:
                raise BadValue(f"product.{kind}: there is no {kind} {slug!r}.")
            self._ids[kind, slug] = found
        return self._ids[kind, slug]

    def _kind(self, key: str) -> str | None:
        if self._kinds is None:
            self._kinds = dict(Attribute.objects.values_list("key", "kind"))
        return self._kinds.get(key)

    def _forget(self) -> None:
        """What was made for a line is gone when the line is rolled back."""
        self._ids.clear()
        self._kinds = None
        self._locations.clear()


def _save(read: Callable[[Any], Outcome], value: Any) -> Outcome:
    try:
        return read(value)
    except BadValue as error:
        raise BadRows([str(error)]) from error
    except DomainError as error:
        raise BadRows([f"{'.'.join(part.field)}: {part.message}" for part in error.parts]) from error


def _check_header(path: Path) -> None:
    start = read_start(path).removeprefix(codecs.BOM_UTF8)
    try:
        header = orjson.loads(start.splitlines()[0])[HEADER]
        version = header["version"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        example = orjson.dumps({HEADER: {"version": VERSION}}).decode()
        raise BadFile(f"its first line is not {example}, so it is not a Cartograph catalog.") from None
    if version != VERSION:
        raise BadFile(f"it has the version {version!r}; this shop reads version {VERSION}.")


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _parse(line: bytes) -> tuple[str, Any]:
    """What a line holds, and that; a line that is not ours holds "" and the reason."""
    try:
        [(name, value)] = orjson.loads(line).items()
    except orjson.JSONDecodeError as error:
        return "", f"it is not JSON: {error.msg}."
    except (ValueError, AttributeError):
        return "", "it is not an object with one key."
    return name, value


def _unknown(value: Any) -> Outcome:
    raise BadValue(value if isinstance(value, str) else "it is neither a vendor, category, attribute nor product.")


def _title(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("slug") or value.get("key") or "(nameless)")
    return "(unreadable)"
