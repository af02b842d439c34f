"""Opaque global ids: the type's name and its key, base64url without padding."""

import base64
import binascii
from functools import lru_cache
from typing import Any

from backend.core.errors import NotFound


class IdNotFound(NotFound):
    """The id is malformed or of another type: to a client, there is simply nothing there."""

    default_message = "There is nothing with this id."


@lru_cache(maxsize=100_000)
def encode(type_name: str, pk: Any) -> str:
    return base64.urlsafe_b64encode(f"{type_name}:{pk}".encode()).rstrip(b"=").decode()


def parse(global_id: str) -> tuple[str, str]:
    """The type's name and the key. Raises IdNotFound for anything that is not an id of ours."""
    try:
        text = base64.urlsafe_b64decode(global_id.encode("ascii") + b"=" * (-len(global_id) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise IdNotFound from error
    type_name, colon, key = text.partition(":")
    if not colon or not type_name or not key:
        raise IdNotFound
    return type_name, key
