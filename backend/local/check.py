"""`make check`: every check that needs no running shop. All of them run, and all failures are shown."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(sys.executable).parent
# Production settings are judged as they would be deployed; nothing here is a secret or is connected to.
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DEBUG": "0",
    "TEST_CLOCK": "0",
    "SANDBOX_GATEWAY": "0",
    "GATEWAY_DOUBLES": "0",
    "SECRET_KEY": "only-for-the-deployment-check-0123456789-abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "shop.example.com",
    "PUBLIC_URL": "https://shop.example.com",
    "DATABASE_URL": "postgres://shop:password@database.example.com:5432/shop",
    "REDIS_URL": "redis://redis.example.com:6379/0",
}
DEVELOPMENT = {"ENVIRONMENT": "development"}
# Whether migrations are missing is read from the source; that no database answers does not matter.
NO_HISTORY = "ignore:Got an error checking a consistent migration history:RuntimeWarning"


class Step(NamedTuple):
    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = DEVELOPMENT


STEPS = (
    Step("types (mypy)", ("-m", "mypy")),
    Step("lint (ruff)", ("-m", "ruff", "check", ".")),
    Step("format (ruff)", ("-m", "ruff", "format", "--check", ".")),
    Step("import directions", (str(PROGRAMS / "lint-imports"),)),
    Step("missing migrations", ("-W", NO_HISTORY, "manage.py", "makemigrations", "--check", "--dry-run")),
    Step("schema.graphql is current", ("manage.py", "export_schema", "--check")),
    Step(
        "production settings",
        ("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        PRODUCTION,
    ),
)


def run(step: Step) -> "subprocess.CompletedProcess[str]":
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, *step.command],
        cwd=ROOT,
        env={**os.environ, **step.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok    " if result.returncode == 0 else "FAILED"
    print(f"{verdict} {step.name} ({time.monotonic() - started:.1f} s)", flush=True)
    return result


def main() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, STEPS))
    failed = [(step, result) for step, result in zip(STEPS, results, strict=True) if result.returncode != 0]
    for step, result in failed:
        print(f"\n--- {step.name} ---\n{result.stdout.strip()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
