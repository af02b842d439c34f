"""The house rules that no linter knows."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.payments.gateways.variables import VARIABLES

ROOT = Path(__file__).parent.parent.parent
MAX_FUNCTION_LINES = 60
MAX_MODULE_LINES = 450
SOURCES = sorted(
    path
    for folder in ("backend", "schema", "workers", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_and_functions_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in SOURCES
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_MODULE_LINES
    ]
    long += [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines"
        for path in SOURCES
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_every_setting_from_the_environment_is_explained() -> None:
    """Each name that settings read stands in .env.example, and nothing stands there that nobody reads."""
    readers = [*SOURCES, ROOT / "Procfile", ROOT / "docker-compose.yml", ROOT / "docker" / "entrypoint.sh"]
    text = (ROOT / "backend" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', text))
    read |= {name for each in VARIABLES.values() for name in [*each.required, *each.optional]}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE))
    assert read - explained == set()
    of_accounts = {
        f"{gateway.upper()}_{name}"
        for gateway in VARIABLES
        for name in ("ACCOUNTS", "CAPTURE", "COUNTRIES", "CURRENCIES", "VENDORS")
    }
    everything = "\n".join(path.read_text(encoding="utf-8") for path in readers if path.exists())
    assert {name for name in explained - read - of_accounts if name not in everything} == set()


def test_containers_read_what_the_example_explains() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    shop = compose[compose.index("x-shop:") : compose.index("services:")]
    assert "env_file:\n    - path: .env" in shop
    assert {
        name for name in ("HOST", "PORT", "DATA_DIR", "DATABASE_URL", "REDIS_URL") if f"    {name}: " not in shop
    } == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_pin_and_hash_everything_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    requirements = re.findall(r"^([A-Za-z0-9._\[\]-]+)(==)?[^\n]*\\$", text, flags=re.MULTILINE)
    assert len(requirements) > 20
    assert all(pinned for _, pinned in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)
    assert not re.search(r"https?://|--index|--find-links|file:", text)


def test_graphql_core_is_the_one_that_strawberry_needs() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"^graphql-core==3\.3\.", text, flags=re.MULTILINE)
    assert re.search(r"^django-graphql-jwt==0\.4\.", text, flags=re.MULTILINE)


def test_import_directions_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
