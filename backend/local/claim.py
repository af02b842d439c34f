"""One `make run` for each data folder, and the end of what an earlier one could not end itself."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from backend.local.errors import LocalError, unusable
from backend.local.locks import exclusive
from backend.local.processes import GONE, end, is_alive, with_variable

# Every process of the Procfile, and whatever it forks, carries the data folder in its environment.
MARK = "CARTOGRAPH_RUN"


class Claim:
    """Says in `run.json` who runs the shop of a data folder, and where."""

    def __init__(self, data_dir: Path, url: str) -> None:
        """Raises LocalError when somebody else does. Processes of one that was killed are ended."""
        self._path = data_dir / "run.json"
        self.mark = str(data_dir)
        try:
            with exclusive(data_dir / "run.lock"):
                self._refuse_second()
                self.end_processes()
                me = psutil.Process()
                self._path.write_text(json.dumps({"pid": me.pid, "create_time": me.create_time(), "url": url}))
        except OSError as error:
            raise unusable(data_dir, error) from error

    def _refuse_second(self) -> None:
        try:
            found = json.loads(self._path.read_text())
            holder, url = psutil.Process(found["pid"]), found["url"]
            if holder.create_time() != found["create_time"] or not is_alive(holder):
                return
        except (FileNotFoundError, ValueError, KeyError, TypeError, *GONE):
            return
        raise LocalError(
            f"Cartograph already runs here, at {url} (process {holder.pid}): stop that one first, "
            "or run a second shop with its own DATA_DIR and PORT."
        )

    def end_processes(self) -> None:
        """End every process of the Procfile that still runs on this data folder."""
        end(with_variable(MARK, self.mark), signal.SIGTERM, timeout_s=5)

    def give_up(self) -> None:
        # Somebody may have deleted the folder meanwhile, or begun a new one in its place.
        with suppress(OSError, ValueError, KeyError, TypeError):
            if os.getpid() == json.loads(self._path.read_text())["pid"]:
                self._path.unlink()
