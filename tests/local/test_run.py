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

import httpx
import psutil
import pytest

from backend.local.address import Address, free_port
from backend.local.processes import end, is_alive, with_variable
from backend.local.server import wait_until
from tests.gateways.fakes import localstripe
from tests.local.conftest import new_folder, processes_of

ROOT = Path(__file__).parent.parent.parent
LAST_LINE = re.compile(r"Stop with Ctrl-C\.\n-+\n\Z")


class Launcher:
    """One `make run`, without make."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        ours = {"DATABASE_URL", "REDIS_URL", "DB_POOL_SIZE"}
        kept = {key: value for key, value in os.environ.items() if key not in ours}
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


def test_doubles_of_the_gateways_run_beside_the_shop_and_end_with_it(shop_folder: Path) -> None:
    launcher = Launcher(shop_folder, free_port(), GATEWAY_DOUBLES="1").wait_until_ready()
    told = dict(
        re.findall(r"^ +(Stripe|PayPal|Paymob|SSLCommerz|Zarinpal) +(http://\S+) ", launcher.said, re.MULTILINE)
    )
    wanted = {"PayPal", "Paymob", "SSLCommerz", "Zarinpal"} | (set() if localstripe.missing() else {"Stripe"})
    assert set(told) == wanted
    for url in told.values():
        assert httpx.get(f"{url}/checkoutnow").status_code == 404  # it answers, and knows no such order yet

    assert launcher.stop(signal.SIGINT) == 130
    assert nothing_is_left(shop_folder)
    for url in told.values():
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_doubles_are_refused_where_the_shop_is_in_earnest(shop_folder: Path) -> None:
    launcher = Launcher(shop_folder, free_port(), GATEWAY_DOUBLES="1", DEBUG="0")
    assert launcher.wait() == 1
    assert launcher.said == "GATEWAY_DOUBLES is for development: with DEBUG off no double is started.\n"


def test_the_banner_names_only_the_demo_users_that_there_are(shop_folder: Path) -> None:
    forget = "from backend.accounts.models import User; User.objects.exclude(email='admin@example.com').delete()"
    manage = [sys.executable, "manage.py", "shell", "--no-imports", "-c", forget]
    kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment = {**kept, "ENVIRONMENT": "development", "DATA_DIR": str(shop_folder)}
    subprocess.run(manage, cwd=ROOT, env=environment, check=True)

    launcher = Launcher(shop_folder, free_port()).wait_until_ready()
    assert "admin@example.com" in launcher.said
    assert "customer@example.com" not in launcher.said
    assert launcher.stop(signal.SIGINT) == 130


def test_an_empty_port_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert Address().port == 8000


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


@pytest.mark.parametrize(("program", "name"), [("postgres", "PostgreSQL"), ("redis-server", "Redis")])
def test_when_an_engine_dies_all_end_and_it_is_named(shop_folder: Path, program: str, name: str) -> None:
    launcher = Launcher(shop_folder, free_port()).wait_until_ready()
    parents = psutil.Process(launcher.process.pid).children()
    [engine] = [each for each in parents if each.name() == program]
    engine.kill()
    assert launcher.wait() == 1
    sentence = f"{name} ended by itself, so everything was stopped; its log is in {shop_folder}.\n"
    assert launcher.said.endswith(sentence)
    assert nothing_is_left(shop_folder)


def test_a_killed_parent_does_not_hide_behind_the_workers_it_leaves(shop_folder: Path) -> None:
    """As Dramatiq's parent and uvicorn's do: the worker holds the output open and hears nothing of it."""
    launcher = Launcher(shop_folder, free_port(), PROCFILE="tests/local/Procfile.parent").wait_until_ready()

    def parents() -> list[psutil.Process]:
        return [each for each in launcher.children() if each.cmdline()[-1:] == ["parent"] and each.children()]

    assert wait_until(lambda: len(parents()) == 1, alive=lambda: launcher.process.poll() is None)
    parents()[0].kill()
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
        (
            {"DATA_DIR": "Makefile/shop"},
            f"The data folder {ROOT}/Makefile/shop cannot be used: the file {ROOT}/Makefile is in the way.",
        ),
        ({"DATA_DIR": "/"}, "DATA_DIR cannot be /: choose a folder for the shop alone."),
        ({"DATA_DIR": "/proc/shop"}, "The data folder /proc/shop cannot be used: No such file or directory."),
        ({"DATABASE_URL": "postgres://shop:x@127.0.0.1:1/shop"}, "The PostgreSQL of DATABASE_URL cannot be used: "),
        ({"DATABASE_URL": "mysql://shop@127.0.0.1/shop"}, "DATABASE_URL must be a PostgreSQL's address: "),
        ({"DATABASE_URL": "postgres://me:x@host:port/shop"}, "DATABASE_URL must be a PostgreSQL's address: "),
        ({"REDIS_URL": "http://127.0.0.1"}, "REDIS_URL must be a Redis' address: "),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "The Redis of REDIS_URL cannot be used: "),
        ({"PROCFILE": "nope"}, f"The Procfile {ROOT}/nope cannot be read: No such file or directory."),
        ({"PROCFILE": "docs"}, f"The Procfile {ROOT}/docs cannot be read: Is a directory."),
        ({"PROCFILE": "LICENSE"}, f"The Procfile {ROOT}/LICENSE names no process"),
        ({"DB_POOL_SIZE": "abc"}, "DB_POOL_SIZE must be a whole number from 0 to 1000, not 'abc'."),
        ({"LOG_LEVEL": "foo"}, "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'foo'."),
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


def test_a_folder_in_place_of_run_json_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "run.json").mkdir()
    launcher = Launcher(folder, free_port())
    assert launcher.wait() == 1
    assert launcher.said == (
        f"The data folder {folder} cannot be used: the folder {folder}/run.json is in the way of a file.\n"
    )


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", None], ids=["too old", "not there"])
def test_make_refuses_an_old_python_in_one_sentence(tmp_path: Path, script: str | None) -> None:
    python = tmp_path / "python2.7"
    if script is not None:
        python.write_text(script)
        python.chmod(0o755)
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    command = ["make", "python", f"PYTHON={python}"]
    answer = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    sentence, make_says = answer.stderr.splitlines()
    assert sentence == f"PYTHON={python} does not run, or is too old: Cartograph needs Python 3.11 or 3.12."
    assert make_says.startswith("make: *** ")
    assert answer.returncode != 0
