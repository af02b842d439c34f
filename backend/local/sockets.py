"""The folder of the engines' unix sockets, whose paths may have 107 bytes and no more."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from backend.local.errors import EnginesError

LONGEST_NAME = ".s.PGSQL.5432.lock"
MAX_PATH_BYTES = 103  # 107 on Linux, 103 on macOS
# PostgreSQL reads its setting as a comma-separated list with quotes.
AWKWARD = set(",\"'")


def folder_for(data_dir: Path, owner: int) -> Path:
    """An existing folder that only its owner may enter: in the data folder when that works, else a short one."""
    inside = data_dir / "sockets"
    folder = inside if _may_hold_sockets(inside) else _short_folder(data_dir, owner)
    _make_private(folder, owner)
    return folder


def _may_hold_sockets(folder: Path) -> bool:
    path = folder / LONGEST_NAME
    if len(os.fsencode(path)) > MAX_PATH_BYTES or AWKWARD & set(str(path)):
        return False
    folder.mkdir(mode=0o700, exist_ok=True)
    # Some shared file systems take files and no sockets.
    probe_path = folder / f"probe-{os.getpid()}"
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(probe_path))
        probe_path.unlink()
    except OSError:
        return False
    return True


def _short_folder(data_dir: Path, owner: int) -> Path:
    """Named after the data folder and its inode: a new folder under an old name gets new sockets."""
    key = f"{data_dir}:{data_dir.stat().st_ino}:{owner}"
    name = f"cartograph-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    inside_temporary = Path(tempfile.gettempdir()).resolve() / name
    fits = len(os.fsencode(inside_temporary / LONGEST_NAME)) <= MAX_PATH_BYTES
    return inside_temporary if fits and not AWKWARD & set(str(inside_temporary)) else Path("/tmp") / name


def _make_private(folder: Path, owner: int) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # The temporary folder is everybody's: somebody else may have put a folder or a link there before us.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EnginesError(f"The folder {folder} for the engines' sockets belongs to another user; remove it.")
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)
