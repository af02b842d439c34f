"""Whom PostgreSQL runs as. It refuses to run as root, so root hands it to a user who may do nothing else."""

import os
import pwd
import stat
from pathlib import Path
from typing import Any, NamedTuple

from backend.local.errors import EnginesError

HARMLESS_USERS = ("nobody", "postgres", "daemon")


class Account(NamedTuple):
    uid: int
    gid: int
    switched: bool  # we are root, and it is somebody else

    def popen_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}

    def may_enter(self, folder: Path) -> bool:
        """Root's own home and what was made under a strict umask are closed to the one we switch to."""
        folders = [folder, *folder.parents]
        return not self.switched or all(each.stat().st_mode & stat.S_IXOTH for each in folders)

    def take(self, folder: Path) -> None:
        """Make the account the owner of a folder that root has made or copied."""
        if not self.switched or folder.stat().st_uid == self.uid:
            return
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_for(data: Path) -> Account:
    """The owner of the data where that is possible; a harmless user when we are root."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise EnginesError(f"The data folder {data} belongs to another user; set DATA_DIR to one of your own.")
        return Account(os.geteuid(), os.getegid(), switched=False)
    if owner:
        return Account(owner, data.stat().st_gid, switched=True)
    for name in HARMLESS_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, switched=True)
    raise EnginesError("PostgreSQL refuses to run as root, and this machine has no user 'nobody': run as another user.")
