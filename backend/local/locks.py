"""Locks between processes, held by the kernel: they end with their holder, also after `kill -9`.

`flock` and not `lockf` (which fasteners uses): a lockf lock belongs to the process, so that closing
a second handle of the same process would let go of the first one's lock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One process at a time inside; others wait."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


class Lease:
    """One of any number of users of a thing; whoever goes last is told so."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    @property
    def in_place(self) -> bool:
        """Whether newcomers would share it: False once its folder was deleted, even if made anew since."""
        return self._path.exists() and os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())

    def end(self) -> bool:
        """Let go; True when nobody else holds a lease.

        Unlocks by hand: a forked child may still hold a copy of the handle, and closing ours
        alone would leave the lock in place.
        """
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
