"""From nothing to a virtual environment: `python3 backend/local/bootstrap.py runtime|dev|tools|clean`.

Uses the standard library alone, and no syntax younger than Python 3.6: an unsupported Python must get far
enough to say so. Installs what the lock files name, checked against their hashes, and remembers their
digest, so that a second call returns at once.
"""

# ruff: noqa: UP006, UP035, UP045

import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Dict, List, Optional, Tuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOCAL = os.path.join(ROOT, ".local")
VENV = os.path.join(ROOT, ".venv")
TOOLS = os.path.join(LOCAL, "tools")
LOG = os.path.join(LOCAL, "install.log")
SUPPORTED = ("3.11", "3.12")
UV = "uv>=0.9,<1"
LOCK_FILES = {"runtime": ["requirements.lock"], "dev": ["requirements.lock", "requirements-dev.lock"]}
CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis", "htmlcov", "static")
PIP_OPTIONS = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--no-input", "--retries=2"]
# What pip says, in the order in which it is looked for, and what we say.
COMPILERS = "(gcc|cc|clang|g\\+\\+|c\\+\\+|make|cargo|rustc)"
NO_COMPILER = (
    f"command '[^']*{COMPILERS}[^']*' failed: No such file|[Uu]nable to execute '?{COMPILERS}|{COMPILERS}: "
    f"(command )?not found|No such file or directory: '{COMPILERS}'|no acceptable C compiler|can't find Rust compiler"
)
NO_NETWORK = (
    "NewConnectionError|Name or service not known|Temporary failure in name resolution|Network is unreachable"
    "|ConnectTimeoutError|ReadTimeoutError|ProxyError|Connection refused|Max retries exceeded"
)
NEEDS_COMPILER = (
    "a package has no wheel for this machine and needs a compiler: install one (Debian: apt install build-essential "
    "python3-dev; macOS: xcode-select --install)"
)
WRONG_HASH = "a package is not the one that the lock file names (its hash differs), so it was not installed"
# What pip says, in the order in which it is looked for, and what we say.
KNOWN_TROUBLE = (
    ("THESE PACKAGES DO NOT MATCH THE HASHES", WRONG_HASH),
    ("No space left on device", "the disk is full"),
    (NO_COMPILER, NEEDS_COMPILER),
    (NO_NETWORK, "the package index cannot be reached: check the network connection"),
    ("Permission denied|Read-only file system", "the folder cannot be written to"),
)


class Trouble(Exception):
    """One sentence for the person at the terminal."""


# Which Python -----------------------------------------------------------------------------------------


def find_python() -> str:
    """The first interpreter of a supported version that runs and can make virtual environments."""
    seen: List[str] = []
    for path in candidates():
        version, complete = probe(path)
        if version in SUPPORTED and complete:
            return path
        if version:
            seen.append(f"{version}{'' if complete else ' without the venv module'} ({path})")
    found = "found only " + ", ".join(seen) if seen else "found none"
    raise Trouble(
        f"Cartograph needs Python 3.11 or 3.12 with its venv module, and {found}. Install one (Debian: apt install "
        "python3.11-venv; pyenv: pyenv install 3.12), then run make again."
    )


def candidates() -> List[str]:
    """Interpreters worth a try: ours, then every one on the PATH (a shim may stand before a real one), then pyenv's."""
    names = ["python3.12", "python3.11", "python3"]
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = [os.path.realpath(sys.executable)]
    paths += [os.path.join(folder, name) for name in names for folder in folders]
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    for version in SUPPORTED[::-1]:
        paths += sorted(glob.glob(os.path.join(pyenv, "versions", version + ".*", "bin", "python3")), reverse=True)
    usable = [path for path in paths if os.access(path, os.X_OK) and not path.startswith(VENV + os.sep)]
    return sorted(set(usable), key=usable.index)


def probe(path: str) -> Tuple[Optional[str], bool]:
    """Its version, None when it does not run (a pyenv shim without a version); and whether venv works there."""
    code = (
        "import sys; print('%d.%d' % sys.version_info[:2])\n"
        "try:\n    import venv, ensurepip; print('complete')\nexcept ImportError: pass"
    )
    try:
        answer = subprocess.run(
            [path, "-I", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None, False
    words = answer.stdout.decode("ascii", "replace").split()
    return (words[0], "complete" in words) if words else (None, False)


# The virtual environment ------------------------------------------------------------------------------


def install(kind: str) -> None:
    """Bring .venv to what the lock files of this kind name; at once when it is there already."""
    wanted = {name: digest(os.path.join(ROOT, name)) for name in LOCK_FILES[kind]}
    if is_installed(wanted):
        return
    os.makedirs(LOCAL, exist_ok=True)
    with open(os.path.join(LOCAL, "install.lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed(wanted):  # by another make, while we waited
            return
        prepare_venv()
        say("Installing packages into .venv (a minute when done the first time) ...")
        arguments = list(PIP_OPTIONS)
        for name in LOCK_FILES[kind]:
            arguments += ["--requirement", name]
        pip(VENV, arguments)
        write_stamp(wanted)


def stamp_path() -> str:
    return os.path.join(VENV, ".cartograph.json")


def is_installed(wanted: Dict[str, str]) -> bool:
    stamp = read_stamp()
    here = stamp.get("venv") == real_venv() and os.access(venv_python(VENV), os.X_OK)
    return here and all(stamp.get(name) == value for name, value in wanted.items())


def read_stamp() -> Dict[str, str]:
    try:
        with open(stamp_path()) as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_stamp(wanted: Dict[str, str]) -> None:
    """A dev lock stays installed when only the runtime was asked for, so what is known is kept."""
    stamp = dict(read_stamp(), venv=real_venv(), **wanted)
    with open(stamp_path() + ".new", "w") as file:
        json.dump(stamp, file, indent=1)
    os.replace(stamp_path() + ".new", stamp_path())
    os.remove(marker_path())


def real_venv() -> str:
    """Where the environment is: several checkouts may share one by a link."""
    return os.path.realpath(VENV)


def marker_path() -> str:
    """There while packages are being installed; found later, it tells of an interrupted installation."""
    return os.path.join(VENV, ".installing")


def prepare_venv() -> None:
    """A virtual environment that runs: the present one, or a new one when that is broken, moved or half filled."""
    version, complete = probe(venv_python(VENV)) if os.path.isdir(VENV) else (None, False)
    moved = read_stamp().get("venv", real_venv()) != real_venv()
    if version not in SUPPORTED or not complete or moved or os.path.exists(marker_path()):
        make_venv(VENV)
    with open(marker_path(), "w"):
        pass


def make_venv(folder: str) -> None:
    if os.path.islink(folder):
        raise Trouble(
            f"{os.path.relpath(folder, ROOT)} is a link to {os.path.realpath(folder)}, where no usable environment is: "
            "remove the link, or mend what it leads to, then run make again."
        )
    python = find_python()
    say(f"Making {os.path.relpath(folder, ROOT)} with {python} ...")
    if os.path.isdir(folder):
        shutil.rmtree(folder)
    run_logged([python, "-m", "venv", folder], "The virtual environment cannot be made")


def venv_python(folder: str) -> str:
    return os.path.join(folder, "bin", "python")


def pip(folder: str, arguments: List[str]) -> None:
    """Pip with everything that it says in the log."""
    command = [venv_python(folder), "-m", "pip", "install", "--progress-bar=off", *arguments]
    run_logged(command, "The packages cannot be installed")


def run_logged(command: List[str], complaint: str) -> None:
    with open(LOG, "ab") as log:
        start = log.tell()
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        code = subprocess.call(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if code == 0:
        return
    with open(LOG, "rb") as log:
        log.seek(start)
        said = log.read().decode("utf-8", "replace")
    raise Trouble(f"{complaint}: {reason(said, code)}. The whole story is in {os.path.relpath(LOG, ROOT)}.")


def reason(said: str, code: int) -> str:
    """Why it failed, in words: one of the usual reasons, or the tool's own last error."""
    for pattern, sentence in KNOWN_TROUBLE:
        if re.search(pattern, said):
            return sentence
    errors = re.findall(r"^(?:ERROR|error): *(.+)$", said, flags=re.MULTILINE)
    return str(errors[-1]).rstrip(".") if errors else f"it ended with exit code {code}"


def install_tools() -> None:
    """uv, which only `make lock` needs, in an environment of its own."""
    if os.access(os.path.join(TOOLS, "bin", "uv"), os.X_OK):
        return
    os.makedirs(LOCAL, exist_ok=True)
    make_venv(TOOLS)
    pip(TOOLS, ["--disable-pip-version-check", "--no-input", "--retries=2", UV])


def digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


# Clean ------------------------------------------------------------------------------------------------


def clean() -> None:
    """End what still runs in .local, then remove all that make has made."""
    end_processes(glob.glob(os.path.join(LOCAL, "**", "run.json"), recursive=True), "backend.local.run", signal.SIGTERM)
    for name, program, number in (
        ("postmaster.pid", "postgres", signal.SIGINT),
        ("redis.pid", "redis-server", signal.SIGTERM),
    ):
        end_processes(glob.glob(os.path.join(LOCAL, "**", name), recursive=True), program, number)
    if os.path.islink(VENV):
        os.remove(VENV)  # the link alone: the environment is another checkout's
    for name in (".venv", ".local", *CACHES):
        shutil.rmtree(os.path.join(ROOT, name), ignore_errors=True)
    for folder in ("backend", "schema", "workers", "tests", "bench"):
        for path in glob.glob(os.path.join(ROOT, folder, "**", "__pycache__"), recursive=True):
            shutil.rmtree(path, ignore_errors=True)
    left = [name for name in (".venv", ".local") if os.path.exists(os.path.join(ROOT, name))]
    if left:
        raise Trouble(f"{' and '.join(left)} cannot be removed: something in there belongs to another user.")


def end_processes(pid_files: List[str], program: str, number: int) -> None:
    """Ask each to end, and wait; kill it after 20 seconds. A pid that is another program's by now is left alone."""
    for path in pid_files:
        with open(path) as file:
            found = re.search(r"\d+", file.read())
        pid = int(found.group()) if found else 0
        for attempt in (number, signal.SIGKILL):
            if pid and program in command_of(pid):
                os.kill(pid, attempt)
                wait_for_end(pid, program)


def wait_for_end(pid: int, program: str) -> None:
    deadline = time.time() + 20
    while program in command_of(pid) and time.time() < deadline:
        time.sleep(0.05)


def command_of(pid: int) -> str:
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return answer.stdout.decode("utf-8", "replace")


# ------------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: List[str]) -> int:
    try:
        if arguments == ["clean"]:
            clean()
        elif arguments == ["tools"]:
            install_tools()
        elif len(arguments) == 1 and arguments[0] in LOCK_FILES:
            install(arguments[0])
        else:
            raise Trouble("Use: bootstrap.py runtime|dev|tools|clean.")
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The folder {error.filename or ROOT} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run repairs what is half installed.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
