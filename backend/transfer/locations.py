"""Locations by name, made when stock first goes there."""

from backend.inventory.models import Location
from backend.inventory.services import default_location
from backend.transfer.errors import BadValue

MAX_NAME = 200


def check_location_name(name: str) -> None:
    """Raise BadValue for a name that no location can have."""
    if not name.strip() or len(name) > MAX_NAME:
        raise BadValue(f"a location's name has 1 to {MAX_NAME} characters.")


class Locations:
    """Remembers what it found; `clear` it when that may have been rolled back."""

    def __init__(self) -> None:
        self._known: dict[str | None, Location] = {}

    def named(self, name: str | None) -> Location:
        """The location of that name; the shop's own for None."""
        if name not in self._known:
            self._known[name] = default_location() if name is None else _location(name)
        return self._known[name]

    def clear(self) -> None:
        self._known.clear()


def _location(name: str) -> Location:
    location, _ = Location.objects.get_or_create(name=name)
    return location
