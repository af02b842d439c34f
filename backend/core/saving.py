"""Upserts that write only what differs: the same data twice changes nothing, and says so."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model

from backend.core.errors import DomainError, Invalid


class Keep(Enum):
    """The type of `KEEP`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""In data for an upsert: leave this as it is; on a new row, the column's default."""


class Outcome(Enum):
    """What an upsert did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def given(data: Any, names: Iterable[str]) -> dict[str, Any]:
    """Name -> value of those attributes of some data that are not KEEP."""
    return {name: value for name in names if (value := getattr(data, name)) is not KEEP}


def assign(row: Model, values: Mapping[str, Any]) -> list[str]:
    """Set the columns that differ; returns their names."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def problems(model: type[Model], values: Mapping[str, Any], path: Sequence[str] = ()) -> list[DomainError]:
    """What the model's own fields say against these values: too long, not a choice, out of range, a NUL character."""
    found: list[DomainError] = []
    for name, value in values.items():
        field = model._meta.get_field(name)
        if isinstance(field, ForeignKey):
            continue
        try:
            field.clean(value, None)  # type: ignore[union-attr]
            _refuse_nul(value)
        except ValidationError as error:
            text = " ".join(error.messages)
            label = str(field.verbose_name)  # type: ignore[union-attr]
            found.append(Invalid(f"{label[:1].upper()}{label[1:]}: {text}", field=[*path, name]))
    return found


def _refuse_nul(value: Any) -> None:
    """PostgreSQL stores no NUL character, neither in texts nor in JSON."""
    if isinstance(value, str) and "\x00" in value:
        raise ValidationError("NUL characters cannot be stored.")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _refuse_nul(key)
            _refuse_nul(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_nul(each)
