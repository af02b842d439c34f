"""`make run` with real engines and a real database, and a tiny shop in place of ours, which starts at once."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from backend.local.processes import end, is_alive, with_variable
from tests.local.conftest import new_folder, processes_of

ROOT = Path(__file__).parent.parent.parent
LAST_LINE = re.compile(r"Stop with Ctrl-C\.\n-+\n\Z")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Launcher:
    """One `make run`, without make."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        given = {"PORT": str(port), "DATA_DIR": str(folder), "PROCFILE": "tests/local/Procfile.tiny", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend.local.run"],
            cwd=ROOT,
            env={**kept, "ENVIRONMENT": "development", **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def wait_until_ready(self) -> "Launcher":
        assert self.process.stdout is not None
        while not LAST_LINE.search(self.said):
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
        return self

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def wait(self) -> int:
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()


@pytest.fixture(scope="module")
def shop_folder() -> Iterator[Path]:
    """A data folder for all tests of this file: tables and demo data are made once."""
    made = new_folder()
    made.chmod(0o755)
    yield made
    end(with_variable("CARTOGRAPH_RUN", str(made)))
    assert processes_of(made) == []


@pytest.fixture(autouse=True)
def _no_shop_outlives_its_test(shop_folder: Path) -> Iterator[None]:
    yield
    end(with_variable("CARTOGRAPH_RUN", str(shop_folder)))


def nothing_is_left(folder: Path) -> bool:
    return processes_of(folder) == [] and not list(with_variable("CARTOGRAPH_RUN", str(folder)))


def test_everything_is_said_last_and_ctrl_c_ends_everything(shop_folder: Path) -> None:
    port = free_port()
    launcher = Launcher(shop_folder, port).wait_until_ready()

    banner = launcher.said[launcher.said.index("Cartograph runs") :]
    for word in (
        f"http://localhost:{port}/graphql",
        f"http://localhost:{port}/admin/",
        f"http://localhost:{port}/dev/mail/",
        str(shop_folder / "mail"),
        "customer@example.com",
        "cartograph-demo",
    ):
        assert word in banner
    assert "the worker warns" in launcher.said
    assert "the worker chats" not in launcher.said

    assert launcher.stop(signal.SIGINT) == 130
    assert nothing_is_left(shop_folder)


def test_a_second_run_is_refused_and_sigterm_ends_the_first(shop_folder: Path) -> None:
    port = free_port()
    launcher = Launcher(shop_folder, port).wait_until_ready()

    second = Launcher(shop_folder, free_port())
    assert second.wait() == 1
    assert second.said.startswith(f"Cartograph already runs here, at http://localhost:{port} ")
    assert second.said.count("\n") == 1

    assert launcher.stop(signal.SIGTERM) == 0
    assert nothing_is_left(shop_folder)


def test_a_start_after_kill_9_ends_what_was_left(shop_folder: Path) -> None:
    port = free_port()
    killed = Launcher(shop_folder, port).wait_until_ready()
    engines = {"postgres", "redis-server"}  # these are taken over
    left = [process for process in killed.children() if process.name() not in engines]
    killed.process.kill()
    killed.process.wait()

    launcher = Launcher(shop_folder, port).wait_until_ready()
    ours = {process.pid for process in launcher.children()}
    survivors = [process.name() for process in left if is_alive(process) and process.pid not in ours]
    assert survivors == []

    assert launcher.stop(signal.SIGINT) == 130
    assert nothing_is_left(shop_folder)


def test_when_one_process_ends_all_end_and_it_is_named(shop_folder: Path) -> None:
    launcher = Launcher(shop_folder, free_port()).wait_until_ready()
    [worker] = [each for each in launcher.children() if each.cmdline()[-1:] == ["tests.local.tiny_shop"]]
    worker.kill()
    assert launcher.wait() == 1
    assert launcher.said.endswith("The worker process ended by itself (exit code -9), so everything was stopped.\n")
    assert nothing_is_left(shop_folder)


def test_when_the_fork_of_a_process_is_killed_all_end_too(shop_folder: Path) -> None:
    launcher = Launcher(shop_folder, free_port()).wait_until_ready()
    fork = next(each for each in launcher.children() if each.cmdline()[-1:] == ["backend.local.run"])
    fork.kill()
    assert launcher.wait() == 1
    assert "process ended by itself (exit code -9), so everything was stopped." in launcher.said
    assert nothing_is_left(shop_folder)


def test_a_taken_port_is_refused_in_one_sentence(shop_folder: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        launcher = Launcher(shop_folder, port)
        assert launcher.wait() == 1
    assert launcher.said.startswith(f"Port {port} is already in use: ")
    assert launcher.said.count("\n") == 1
    assert nothing_is_left(shop_folder)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "http"}, "PORT must be a number from 1 to 65535, not 'http'."),
        ({"DATA_DIR": "Makefile"}, f"The data folder {ROOT}/Makefile cannot be used: a file is in the way."),
        ({"DATA_DIR": "/proc/shop"}, "The data folder /proc/shop cannot be used: No such file or directory."),
        ({"DATABASE_URL": "postgres://shop:x@127.0.0.1:1/shop"}, "The PostgreSQL of DATABASE_URL cannot be used: "),
        ({"DATABASE_URL": "mysql://shop@127.0.0.1/shop"}, "DATABASE_URL must name a PostgreSQL database: "),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "The Redis of REDIS_URL cannot be used: "),
        ({"ENVIRONMENT": "production"}, "Production needs these environment variables: "),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(
    shop_folder: Path, environment: dict[str, str], sentence: str
) -> None:
    launcher = Launcher(shop_folder, free_port(), **environment)
    assert launcher.wait() != 0
    assert launcher.said.startswith(sentence)
    assert launcher.said.count("\n") == 1
    assert nothing_is_left(shop_folder)
