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
