"""The folder of the engines' unix sockets, whose paths may have 107 bytes and no more."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from backend.local.accounts import Account
from backend.local.errors import EnginesError

LONGEST_NAME = ".s.PGSQL.5432.lock"
MAX_PATH_BYTES = 103  # 107 on Linux, 103 on macOS
# PostgreSQL reads its setting as a comma-separated list with quotes.
AWKWARD = set(",\"'")


def folder_for(data_dir: Path, account: Account) -> Path:
    """An existing folder that only the account may enter: in the data folder when that works, else a short one."""
    inside = data_dir / "sockets"
    if not account.may_enter(data_dir) or not _may_hold_sockets(inside):
        folder = _short_folder(data_dir, account)
    else:
        folder = inside
    _make_private(folder, account.uid)
    return folder


def _may_hold_sockets(folder: Path) -> bool:
    if not _fits(folder):
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


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / LONGEST_NAME)) <= MAX_PATH_BYTES and not AWKWARD & set(str(folder))


def _short_folder(data_dir: Path, account: Account) -> Path:
    """Named after the data folder and its inode: a new folder under an old name gets new sockets."""
    key = f"{data_dir}:{data_dir.stat().st_ino}:{account.uid}"
    name = f"cartograph-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    temporary = Path(tempfile.gettempdir()).resolve()
    return (temporary if _fits(temporary / name) and account.may_enter(temporary) else Path("/tmp")) / name


def _make_private(folder: Path, owner: int) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # The temporary folder is everybody's: somebody else may have put a folder or a link there before us.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EnginesError(f"The folder {folder} for the engines' sockets belongs to another user; remove it.")
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)
