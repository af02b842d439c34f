"""Production starts only when it is safe to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
SAFE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k9" * 30,
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgres://user:password@db/shop",
    "REDIS_URL": "redis://redis/0",
    "PUBLIC_URL": "https://shop.example",
}


def load(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-c", "import backend.settings"]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)


def test_safe_settings_start() -> None:
    assert load(SAFE).returncode == 0


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL"])
def test_production_refuses_to_start_without(name: str) -> None:
    result = load({key: value for key, value in SAFE.items() if key != name})
    assert result.returncode != 0
    assert name in result.stderr


@pytest.mark.parametrize("name", ["DEBUG", "TEST_CLOCK", "SANDBOX_GATEWAY"])
def test_production_refuses_to_start_with(name: str) -> None:
    result = load({**SAFE, name: "1"})
    assert result.returncode != 0
    assert name in result.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", "short"), ("ALLOWED_HOSTS", "*"), ("ENVIRONMENT", "staging")]
)
def test_production_refuses_careless_values(name: str, value: str) -> None:
    result = load({**SAFE, name: value})
    assert result.returncode != 0
    assert name in result.stderr
