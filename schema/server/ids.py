"""Global ids as clients send them, read back into keys. How they are written: `backend.core.ids`."""

from uuid import UUID

from backend.core.ids import IdNotFound, encode, parse

__all__ = ["IdNotFound", "decode_int", "decode_uuid", "encode", "parse"]


def decode_int(global_id: str, type_name: str, *, field: list[str] | None = None) -> int:
    """The integer key of an id of that type. Raises IdNotFound with `field`."""
    try:
        found, key = parse(global_id)
        if found != type_name or not key.isascii() or not key.isdigit() or len(key) > 18:
            raise IdNotFound
        return int(key)
    except IdNotFound as error:
        raise IdNotFound(field=field or []) from error


def decode_uuid(global_id: str, type_name: str, *, field: list[str] | None = None) -> UUID:
    """The UUID of an id of that type. Raises IdNotFound with `field`."""
    try:
        found, key = parse(global_id)
        if found != type_name:
            raise IdNotFound
        return UUID(key)
    except (IdNotFound, ValueError) as error:
        raise IdNotFound(field=field or []) from error
