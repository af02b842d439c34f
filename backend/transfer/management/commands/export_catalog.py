"""`manage.py export_catalog [FILE]`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.transfer.cartograph.exporting import export_lines
from backend.transfer.cartograph.media import copy_out


class Command(BaseCommand):
    help = "Write the whole catalog to a Cartograph file (JSON lines), to be read by import_catalog."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="- is the standard output (default)")
        parser.add_argument("--media-dir", type=Path, help="Copy the image files that the catalog names there.")

    def handle(self, *, file: str, media_dir: Path | None, **options: Any) -> None:
        files: dict[str, None] = {}
        lines = -1  # the header is none
        try:
            with _target(file) as target:
                for line in export_lines(want_file=lambda name: files.update({name: None}) if name else None):
                    target.write(line)
                    lines += 1
            copied = sum(copy_out(name, media_dir) for name in files) if media_dir else 0
        except OSError as error:
            raise CommandError(f"The catalog cannot be written: {error.strerror or error}.") from error
        self.stderr.write(f"{lines:,} lines written, {len(files):,} image files named, {copied:,} copied.")


@contextmanager
def _target(file: str) -> Iterator[BinaryIO]:
    """Where to write. A file appears under its name only when it is complete."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = Path(f"{file}.part")
    try:
        with unfinished.open("wb") as target:
            yield target
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
