"""The image files that a Cartograph file names: copied from and to a folder, where one is given."""

import shutil
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage

from backend.transfer.report import Report


class MediaFiles:
    """Brings named files into the storage from `folder`, and notes those that are nowhere."""

    def __init__(self, folder: Path | None, *, report: Report, dry_run: bool) -> None:
        self._folder = folder
        self._report = report
        self._dry_run = dry_run
        self._seen: set[str] = set()

    def want(self, name: str) -> None:
        """See that a file is in the storage. What is there already stays as it is."""
        if not name or name in self._seen:
            return
        self._seen.add(name)
        if default_storage.exists(name):
            if not _is_file(name):
                self._report.note([f"The image file {name!r} is a folder in the shop's media."])
            return
        source = self._folder / name if self._folder else None
        if source is None or not source.is_file():
            self._report.note([f"The image file {name!r} is not in the media folder."])
        elif not self._dry_run:
            with source.open("rb") as file:
                default_storage.save(name, File(file))


def _is_file(name: str) -> bool:
    """Whether something in the storage is a file: `exists` is true for folders too, and storages tell no more."""
    try:
        default_storage.open(name).close()
    except OSError:
        return False
    return True


def copy_out(name: str, folder: Path) -> bool:
    """Copy a file of the storage to a folder, under its name; False when it is not there."""
    target = folder / name
    if not (default_storage.exists(name) and _is_file(name)):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with default_storage.open(name) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return True
