"""Who asks. Services and queries that serve a person take a Caller first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request; `user_id` is None for a guest, who has only what tokens name."""

    user_id: int | None = None


GUEST = Caller()
