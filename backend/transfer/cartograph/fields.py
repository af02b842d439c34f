"""Reading JSON objects field by field: each function raises BadValue naming the field that cannot be meant."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.utils import validate_file_name

from backend.core.errors import Invalid
from backend.core.money import parse_minor
from backend.core.saving import KEEP, Keep
from backend.transfer.errors import BadValue
from backend.transfer.locations import check_location_name

T = TypeVar("T")
MAX_WHOLE = 2**31 - 1
MAX_FILE_NAME = 100


class Fields:
    """The fields of one object. Those that are absent are KEEP, where the caller does not need them."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise BadValue(f"{path}: it is not an object.")
        self._path = path
        self._left: dict[str, Any] = dict(value)

    def needed(self, name: str, read: Callable[[Any], T]) -> T:
        if name not in self._left:
            raise BadValue(f"{self._path}.{name}: it is missing.")
        return self._read(name, read)

    def optional(self, name: str, read: Callable[[Any], T]) -> T | Keep:
        return self._read(name, read) if name in self._left else KEEP

    def objects(self, name: str) -> "Iterator[Fields] | Keep":
        """The objects of a list."""
        values = self.optional(name, items)
        if isinstance(values, Keep):
            return KEEP
        return (Fields(value, f"{self._path}.{name}[{number}]") for number, value in enumerate(values))

    def by_name(self, name: str) -> "dict[str, Fields]":
        """The objects of an object; none when it is absent."""
        values = self.optional(name, mapping)
        if isinstance(values, Keep):
            return {}
        return {key: Fields(value, f"{self._path}.{name}.{key}") for key, value in values.items()}

    def finish(self) -> None:
        """Refuse what nobody has read: a slip in a field's name would lose its value in silence."""
        if self._left:
            raise BadValue(f"{self._path}: there is no field {next(iter(self._left))!r}.")

    def _read(self, name: str, read: Callable[[Any], T]) -> T:
        try:
            return read(self._left.pop(name))
        except BadValue as error:
            raise BadValue(f"{self._path}.{name}: {error}") from error


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("it is not a text.")
    if "\x00" in value:
        raise BadValue("it has a NUL character, which cannot be stored.")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue("it is neither true nor false.")
    return value


def whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_WHOLE:
        raise BadValue(f"it is not a whole number from 0 to {MAX_WHOLE}.")
    return value


def decimal(value: Any) -> Decimal:
    """A number written as a text ("12.5"), so that no digit is lost."""
    try:
        number = Decimal(text(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise BadValue("it is not a number in quotation marks.")
    return number


def moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        raise BadValue("it is not a time like 2025-01-31T12:00:00+00:00.") from None
    if found.tzinfo is None:
        raise BadValue("it has no time zone.")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise BadValue("it is not within the years 1 to 9999 of UTC.") from None


def items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadValue("it is not a list.")
    return value


def texts(value: Any) -> list[str]:
    return [text(each) for each in items(value)]


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadValue("it is not an object.")
    return value


def texts_by_name(value: Any) -> dict[str, str]:
    return {name: text(each) for name, each in mapping(value).items()}


def translations(value: Any) -> dict[str, Mapping[str, Any]]:
    """Language -> texts by column, and "terms": the options' names and values."""
    found: dict[str, Mapping[str, Any]] = {language: mapping(texts) for language, texts in mapping(value).items()}
    for columns in found.values():
        for name, each in columns.items():
            texts_by_name(each) if name == "terms" else text(each)
    return found


def file_name(value: Any) -> str:
    """A name in the storage: relative, and never above it."""
    name = text(value)
    if len(name) > MAX_FILE_NAME:
        raise BadValue(f"it has more than {MAX_FILE_NAME} characters.")
    if name:
        try:
            validate_file_name(name, allow_relative_path=True)
        except SuspiciousFileOperation:
            raise BadValue("it is not the name of a file below the media folder.") from None
    return name


def location_name(value: Any) -> str:
    name = text(value)
    check_location_name(name)
    return name


def amount(currency: str) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            return parse_minor(decimal(value), currency)
        except Invalid as error:
            raise BadValue(error.message) from error

    return read


def nullable(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else read(value)
