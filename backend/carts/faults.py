"""What is wrong with a request, gathered, so that a form can show all of it at once."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from backend.core.errors import DomainError, refuse

Given = TypeVar("Given")
Checked = TypeVar("Checked")


class Faults:
    """Collects refusals until `refuse` raises them together; nothing may be written before that."""

    def __init__(self) -> None:
        self.errors: list[DomainError] = []

    def __bool__(self) -> bool:
        return bool(self.errors)

    def add(self, *errors: DomainError) -> None:
        self.errors.extend(errors)

    def extend(self, errors: Iterable[DomainError]) -> None:
        self.errors.extend(errors)

    def check(self, clean: Callable[[Given], Checked], value: Given) -> Checked | None:
        """The value as `clean` makes it; None when it refuses, which is kept for later."""
        try:
            return clean(value)
        except DomainError as error:
            self.errors.extend(error.parts)
            return None

    def refuse(self) -> None:
        """Raises everything gathered, if anything was."""
        refuse(self.errors)
