"""Looking at a file before it is read."""

import codecs
from pathlib import Path

from backend.transfer.errors import BadFile

CHUNK_BYTES = 1 << 16


def read_start(path: Path) -> bytes:
    """The file's beginning. Raises BadFile when there is no such file, it cannot be read, or has nothing in it."""
    try:
        if path.is_dir():
            raise BadFile("it is a folder, not a file.")
        with path.open("rb") as file:
            start = file.read(CHUNK_BYTES)
    except OSError as error:
        raise BadFile(f"it cannot be read: {(error.strerror or str(error)).lower()}.") from error
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        raise BadFile("it is empty.")
    return start
