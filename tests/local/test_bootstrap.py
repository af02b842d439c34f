"""From nothing to a virtual environment, offline: pip installs a package of our own from a folder."""

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from tests.local.conftest import new_folder

SOURCE = Path(__file__).parent.parent.parent / "backend" / "local" / "bootstrap.py"
WHEEL = "tiny-1.0-py3-none-any.whl"


def write_wheel(folder: Path) -> str:
    """A package with one module; returns its digest."""
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "SIZE = 1\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bootstrap(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, working on a checkout of its own whose lock file names the tiny package."""
    module = load_script()
    for name, path in {"ROOT": "", "LOCAL": ".local", "VENV": ".venv", "LOG": ".local/install.log"}.items():
        monkeypatch.setattr(module, name, str(checkout / path))
    digest = write_wheel(checkout)
    (checkout / "requirements.lock").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(checkout))
    return module


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """One for all tests of this file: to make a virtual environment takes seconds."""
    made = new_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def installed(bootstrap: ModuleType) -> ModuleType:
    assert bootstrap.main(["runtime"]) == 0
    return bootstrap


def tiny_is_there(root: Path) -> bool:
    python = root / ".venv" / "bin" / "python"
    return subprocess.run([python, "-c", "import tiny"], capture_output=True, check=False).returncode == 0


def refuse(*_args: object, **_kwargs: object) -> NoReturn:
    raise AssertionError("a program was started")


def test_an_old_python_can_read_the_script() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_locked_packages_are_installed_and_a_second_call_starts_nothing(
    installed: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiny_is_there(checkout)
    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "call", refuse)
    assert installed.main(["runtime"]) == 0


def test_an_interrupted_installation_is_repaired(installed: ModuleType, checkout: Path) -> None:
    stamp, marker = Path(installed.stamp_path()), Path(installed.marker_path())
    stamp.unlink()
    marker.touch()
    [module] = checkout.glob(".venv/lib/*/site-packages/tiny.py")
    module.unlink()  # half of a package: pip alone would take it for installed
    assert installed.main(["runtime"]) == 0
    assert tiny_is_there(checkout)
    assert not marker.exists()


def test_a_checkout_that_was_moved_gets_a_new_environment(installed: ModuleType, checkout: Path) -> None:
    stamp = Path(installed.stamp_path())
    stamp.write_text(stamp.read_text().replace(str(checkout), "/somewhere/else"))
    left_over = checkout / ".venv" / "left-over"
    left_over.touch()
    assert installed.main(["runtime"]) == 0
    assert not left_over.exists()


def test_a_linked_environment_is_used_and_never_taken_away(
    installed: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Several checkouts share one."""
    link = tmp_path / ".venv"
    link.symlink_to(checkout / ".venv")
    for name, path in {"ROOT": "", "LOCAL": ".local", "VENV": ".venv", "LOG": ".local/install.log"}.items():
        monkeypatch.setattr(installed, name, str(tmp_path / path))
    shutil.copy(checkout / "requirements.lock", tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "call", refuse)
        assert installed.main(["runtime"]) == 0
    (checkout / ".venv" / ".installing").touch()  # half filled: elsewhere it would be made anew
    with (tmp_path / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    assert installed.main(["runtime"]) == 1
    assert tiny_is_there(checkout)
    (checkout / ".venv" / ".installing").unlink()
    assert installed.main(["clean"]) == 0
    assert not link.is_symlink()
    assert tiny_is_there(checkout)


def test_a_package_that_is_not_the_locked_one_is_refused_in_one_sentence(
    bootstrap: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "requirements.lock").write_text(f"tiny==2.0 --hash=sha256:{'0' * 64}\n")
    (checkout / WHEEL).rename(checkout / WHEEL.replace("1.0", "2.0"))
    assert bootstrap.main(["runtime"]) == 1
    said = capsys.readouterr().err
    assert "its hash differs" in said
    assert said.count("\n") == 1
    assert not bootstrap.is_installed({"requirements.lock": bootstrap.digest(str(checkout / "requirements.lock"))})


def test_no_network_is_said_in_one_sentence(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    Path(bootstrap.ROOT, "requirements.lock").write_text(f"other==1.0 --hash=sha256:{'0' * 64}\n")
    assert bootstrap.main(["runtime"]) == 1
    said = capsys.readouterr().err
    assert "the package index cannot be reached" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "said",
    [
        "error: command 'gcc' failed: No such file or directory",
        "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed: No such file or directory: 'gcc'",
        "unable to execute 'cc': No such file or directory",
        "configure: error: no acceptable C compiler found in $PATH",
        "error: can't find Rust compiler",
        "make: cc: command not found",
        "FileNotFoundError: [Errno 2] No such file or directory: 'make'",
    ],
)
def test_a_missing_compiler_is_recognized(bootstrap: ModuleType, said: str) -> None:
    assert "needs a compiler" in bootstrap.reason(f"Building wheel\n{said}\n  ERROR: Failed building wheel", 1)


def write_program(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_an_unsupported_python_is_refused_in_one_sentence(
    bootstrap: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = write_program(tmp_path / "new" / "python3", "echo 3.13; echo complete")
    shim = write_program(tmp_path / "shims" / "python3.12", "echo 'python3.12: command not found' >&2; exit 127")
    monkeypatch.setattr(sys, "executable", new)
    monkeypatch.setenv("PATH", os.pathsep.join([os.path.dirname(new), os.path.dirname(shim)]))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))
    assert bootstrap.main(["runtime"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Cartograph needs Python 3.11 or 3.12 with its venv module, and found only 3.13 ({new}).")
    assert said.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_a_shim_without_a_python_does_not_hide_the_real_one(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = write_program(tmp_path / "new" / "python3", "echo 3.13; echo complete")
    shim = write_program(tmp_path / "shims" / "python3.12", "exit 127")
    real = write_program(tmp_path / "usr" / "python3.12", "echo 3.12; echo complete")
    monkeypatch.setattr(sys, "executable", new)
    monkeypatch.setenv("PATH", os.pathsep.join(os.path.dirname(path) for path in (new, shim, real)))
    assert bootstrap.find_python() == real


def test_a_python_without_venv_is_passed_over(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = write_program(tmp_path / "bare" / "python3.12", "echo 3.12")
    real = write_program(tmp_path / "usr" / "python3.11", "echo 3.11; echo complete")
    monkeypatch.setattr(sys, "executable", bare)
    monkeypatch.setenv("PATH", os.pathsep.join(os.path.dirname(path) for path in (bare, real)))
    assert bootstrap.find_python() == real


def test_clean_removes_what_make_has_made_and_nothing_else(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, path in {"ROOT": "", "LOCAL": ".local", "VENV": ".venv"}.items():
        monkeypatch.setattr(bootstrap, name, str(tmp_path / path))
    for made in (".venv/bin", ".local/postgres", ".ruff_cache", "backend/__pycache__", "docs"):
        (tmp_path / made).mkdir(parents=True)
    assert bootstrap.main(["clean"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backend", "docs"]
    assert list((tmp_path / "backend").iterdir()) == []
