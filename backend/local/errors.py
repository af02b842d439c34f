"""What may go wrong on one's own machine, each said in one sentence."""

import errno
from pathlib import Path

# Exit code of our own child processes that have said in one sentence what is wrong.
EXPLAINED = 78


class LocalError(Exception):
    """Its text is one clear sentence for the person at the terminal; no traceback is shown."""


class EnginesError(LocalError):
    """An embedded engine or its data folder cannot be used."""


def unusable(folder: Path, error: OSError) -> EnginesError:
    """Why the data folder cannot be used: what stands in the way is named."""
    path = Path(error.filename or folder)
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        files = (each for each in [*path.parents[::-1], path] if each.exists() and not each.is_dir())
        reason = f"the file {next(files, path)} is in the way"
    elif error.errno == errno.EISDIR:
        reason = f"the folder {path} is in the way of a file"
    elif path == folder:
        reason = error.strerror or str(error)
    else:
        reason = f"{error.strerror or error} ({path})"
    return EnginesError(f"The data folder {folder} cannot be used: {reason}.")
