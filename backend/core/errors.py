"""Failures that a client can cause. Bugs are ordinary exceptions and never come through here."""

from collections.abc import Sequence
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule said no. Services raise subclasses; the GraphQL edge turns them into `userErrors`.

    `code` is stable and documented, `message` is a sentence for the developer or shopper, and `field`
    is the path of the input that is at fault (GraphQL names, without the leading `input`).
    """

    code: ClassVar[str] = "INVALID"
    default_message: ClassVar[str] = "This input is not valid."

    def __init__(self, message: str = "", *, field: Sequence[str] = (), **data: Any) -> None:
        self.message = message or self.default_message
        self.field = list(field)
        self.data = data
        super().__init__(self.message)

    @property
    def parts(self) -> "Sequence[DomainError]":
        """Every refusal in this one: itself, for all but `Several`."""
        return [self]


class Several(DomainError):
    """More than one input is at fault: each is named, so that a form can show all of them at once."""

    def __init__(self, errors: "Sequence[DomainError]", **data: Any) -> None:
        super().__init__(errors[0].message, field=errors[0].field, **data)
        self.errors = list(errors)

    @property
    def parts(self) -> "Sequence[DomainError]":
        return self.errors


def refuse(errors: "Sequence[DomainError]") -> None:
    """Raise what went wrong, if anything did: the one error, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(errors)


class Invalid(DomainError):
    code = "INVALID"


class Required(DomainError):
    code = "REQUIRED"
    default_message = "This input is required."


class NotFound(DomainError):
    """There is no such thing, or it is not the caller's: the two are never told apart."""

    code = "NOT_FOUND"
    default_message = "Not found."


class CurrencyMismatch(DomainError):
    code = "CURRENCY_MISMATCH"
    default_message = "The amount is in another currency."


class IdempotencyConflict(DomainError):
    code = "IDEMPOTENCY_CONFLICT"
    default_message = "This idempotency key was used with other input. Make a new key for a new request."
