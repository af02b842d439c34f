"""Embedded engines: real PostgreSQL and Redis, and everything that has been seen to go wrong with them."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import environ
import psutil
import psycopg
import pytest
import redis

from backend.local import engines as engines_module
from backend.local import postgres, sockets
from backend.local.accounts import account_for
from backend.local.engines import Engines, EnginesError, data_dir, ensure, prepare_environment
from tests.local.conftest import processes_of

ROOT = Path(__file__).parent.parent.parent
Start = Callable[[Path], Engines]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")


def connect(engines: Engines) -> psycopg.Connection:
    """As Django does: by what django-environ reads from the address."""
    config = environ.Env.db_url_config(engines.database_url)
    return psycopg.connect(host=config["HOST"], user=config["USER"], dbname=config["NAME"], autocommit=True)


def remember(engines: Engines, word: str) -> None:
    with closing(connect(engines)) as connection:
        connection.execute("CREATE TABLE memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])
    with redis.Redis.from_url(engines.redis_url) as client:
        client.set("word", word)


def recall(engines: Engines) -> tuple[str, str]:
    with closing(connect(engines)) as connection:
        row = connection.execute("SELECT word FROM memory").fetchone()
    with redis.Redis.from_url(engines.redis_url, decode_responses=True) as client:
        return (row[0] if row else "", str(client.get("word")))


def pid_of(file: Path) -> int:
    return int(file.read_text().split()[0])


def kill(folder: Path) -> None:
    """Both engines, as a power cut would."""
    for file in (folder / "postgres" / "postmaster.pid", folder / "redis" / "redis.pid"):
        process = psutil.Process(pid_of(file))
        process.kill()
        process.wait(10)


def test_engines_are_shared_and_the_last_user_stops_them(filled_folder: Path, start: Start) -> None:
    folder = filled_folder
    first = start(folder)
    second = start(folder)
    assert second.database_url == first.database_url
    assert processes_of(folder).count("redis-server") == 1

    first.stop()
    remember(second, "still here")
    assert recall(second) == ("still here", "still here")

    second.stop()
    assert processes_of(folder) == []


def test_data_outlives_a_restart(filled_folder: Path, start: Start) -> None:
    folder = filled_folder
    engines = start(folder)
    remember(engines, "kept")
    engines.stop()
    assert recall(start(folder)) == ("kept", "kept")


def test_a_start_after_kill_9_repairs_itself(filled_folder: Path, start: Start) -> None:
    folder = filled_folder
    engines = start(folder)
    remember(engines, "kept")
    with redis.Redis.from_url(engines.redis_url) as client:
        client.save()
    kill(folder)
    assert recall(start(folder)) == ("kept", "kept")


def test_a_pid_that_is_somebody_elses_by_now_is_no_engine(filled_folder: Path, start: Start) -> None:
    folder = filled_folder
    (folder / "sockets").mkdir(exist_ok=True)
    stale = f"{os.getpid()}\n{folder}/postgres\n1\n5432\n{folder}/sockets\n\n1 1\nready\n"
    (folder / "postgres" / "postmaster.pid").write_text(stale)
    (folder / "sockets" / ".s.PGSQL.5432.lock").write_text(stale)
    (folder / "redis" / "redis.pid").write_text(f"{os.getpid()}\n")
    engines = start(folder)
    remember(engines, "fresh")
    assert pid_of(folder / "postgres" / "postmaster.pid") != os.getpid()


def test_an_interrupted_first_start_leaves_nothing_half_made(folder: Path, start: Start) -> None:
    unfinished = folder / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    remember(start(folder), "made")
    assert not unfinished.exists()


@pytest.mark.parametrize("name", ["n" * 120, "a b+c#d%41@e:f,ü'\""], ids=["long", "awkward"])
def test_any_folder_name_will_do(folder: Path, start: Start, name: str) -> None:
    engines = start(folder / name)
    remember(engines, "hello")
    assert recall(engines) == ("hello", "hello")


def test_two_folders_run_side_by_side(folder: Path, start: Start) -> None:
    one, other = start(folder / "one"), start(folder / "other")
    remember(one, "one")
    remember(other, "other")
    assert recall(one) == ("one", "one")
    assert recall(other) == ("other", "other")


def test_a_folder_deleted_while_its_engines_ran_can_be_used_again(folder: Path, start: Start) -> None:
    old = start(folder / "data")
    shutil.rmtree(folder / "data")
    new = start(folder / "data")
    remember(new, "new")
    old.stop()
    assert recall(new) == ("new", "new")


def _spoil_control_file(folder: Path) -> Path:
    (folder / "postgres" / "global" / "pg_control").write_bytes(b"x" * 8192)
    return folder / "postgres"


def _put_other_things_there(folder: Path) -> Path:
    shutil.rmtree(folder / "postgres")
    (folder / "postgres").mkdir()
    (folder / "postgres" / "diary.txt").write_text("Dear diary")
    return folder / "postgres"


def _put_a_file_in_the_way(folder: Path) -> Path:
    shutil.rmtree(folder / "postgres")
    (folder / "postgres").write_text("a file")
    return folder


def _spoil_redis_dump(folder: Path) -> Path:
    (folder / "redis" / "dump.rdb").write_bytes(b"no dump at all")
    return folder / "redis"


@pytest.mark.parametrize(
    "spoil", [_spoil_control_file, _put_other_things_there, _put_a_file_in_the_way, _spoil_redis_dump]
)
def test_broken_data_is_refused_in_one_sentence(
    filled_folder: Path, start: Start, spoil: Callable[[Path], Path]
) -> None:
    folder = filled_folder
    named = spoil(folder)
    with pytest.raises(EnginesError) as refusal:
        start(folder)
    assert str(named) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert processes_of(folder) == []


def test_a_file_for_a_data_folder_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "file").write_text("")
    refusal = rf"^The data folder .*/file/shop cannot be used: the file {folder}/file is in the way\.$"
    with pytest.raises(EnginesError, match=refusal):
        ensure(folder / "file" / "shop")


# What initdb of PostgreSQL 18 says on a full disk.
DISK_FULL = """cat >&2 <<'END'
2026-11-21 09:12:10.000 UTC [7] FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device
child process exited with exit code 1
initdb: removing contents of data directory "postgres.new"
END
exit 1"""


def test_a_full_disk_is_given_as_the_reason_and_no_folder_of_sockets_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = folder / "programs"
    programs.mkdir(mode=0o755)
    (programs / "initdb").write_text(f"#!/bin/sh\n{DISK_FULL}\n")
    (programs / "initdb").chmod(0o755)
    monkeypatch.setattr(postgres, "_programs", lambda _: programs)
    monkeypatch.setattr(sockets.tempfile, "gettempdir", lambda: str(folder))
    long = folder / ("n" * 120)
    with pytest.raises(EnginesError) as refusal:
        ensure(long)
    assert str(refusal.value) == (
        f"PostgreSQL cannot make its data folder {long}/postgres: the disk is full: "
        'could not write to file "pg_wal/xlogtemp.7": No space left on device.'
    )
    assert list(folder.glob("cartograph-*")) == []


def test_a_path_that_postgresql_cannot_keep_is_refused_before_anything_is_made(folder: Path) -> None:
    long = folder.joinpath(*["n" * 200] * 6)
    with pytest.raises(
        EnginesError, match=r"^The data folder's path has \d+ bytes, and PostgreSQL takes 900 at most\.$"
    ):
        ensure(long)
    assert list(folder.iterdir()) == []


def test_a_tilde_in_the_data_folder_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("DATA_DIR", "~/shop")
    assert data_dir() == Path("/home/ada/shop")


def test_many_processes_at_once_share_one_pair_of_engines(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from backend.local.engines import ensure\n"
        "folder = Path(sys.argv[1]); engines = ensure(folder)\n"
        "print((folder / 'postgres/postmaster.pid').read_text().split()[0], flush=True)\n"
        "sys.stdin.read(); engines.stop()\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    users = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    pids = {user.stdout.readline() for user in users if user.stdout}
    for user in users:
        user.communicate(timeout=60)
    assert len(pids) == 1
    assert [user.returncode for user in users] == [0] * 4


@root_only
def test_root_may_keep_its_shop_in_a_closed_home(folder: Path, start: Start) -> None:
    closed = folder / "home"
    closed.mkdir(mode=0o700)
    engines = start(closed / "data")
    remember(engines, "mine")
    assert recall(engines) == ("mine", "mine")
    assert closed.stat().st_mode & 0o777 == 0o700
    owner = (closed / "data" / "postgres").stat().st_uid
    assert owner == account_for(closed / "data" / "postgres").uid != 0


def _python_of(user: str, environment: dict[str, str]) -> str | None:
    """An interpreter of our version that this user may run, with our packages."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = os.environ["PATH"].split(os.pathsep)
    for path in [sys.executable, *(f"{folder}/{name}" for folder in folders)]:
        try:
            subprocess.run(
                [path, "-c", "import psutil, environ, backend.local"],
                user=user,
                extra_groups=[],
                env=environment,
                cwd="/",
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return path
    return None


@root_only
def test_an_ordinary_user_runs_engines_of_its_own(folder: Path) -> None:
    user = pwd.getpwnam("nobody")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
    python = _python_of(user.pw_name, environment)
    if python is None:
        pytest.skip("this checkout and its Python are closed to ordinary users")
    os.chown(folder, user.pw_uid, user.pw_gid)
    code = (
        "import sys; from pathlib import Path; from backend.local.engines import ensure\n"
        "for turn in range(2):\n"
        "    engines = ensure(Path(sys.argv[1])); print(engines.database_url); engines.stop()\n"
    )
    result = subprocess.run(
        [python, "-c", code, str(folder / "data")],
        user=user.pw_name,
        group=user.pw_gid,
        extra_groups=[],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(set(result.stdout.splitlines())) == 1
    assert (folder / "data" / "postgres").stat().st_uid == user.pw_uid


def test_production_and_given_servers_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines_module, "load_env_file", lambda: None)
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    assert os.environ["DATABASE_URL"]
    assert prepare_environment() is None  # both are given

    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert prepare_environment() is None
    assert "DATABASE_URL" not in os.environ
    assert not (folder / "data").exists()
