"""The package stands alone, and its README's example runs."""

import ast
import re
import sys
from pathlib import Path
from subprocess import run

import pytest

import schema.engine

FOLDER = Path(schema.engine.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
REPOSITORY = FOLDER.parent.parent
OURS = {path.name for path in REPOSITORY.iterdir() if path.is_dir()} | {"django"}


def test_the_example_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    """In a process of its own, without Django's settings."""
    example, printed = (match.group(1) for match in re.finditer(r"```(?:python)?\n(.*?)```", README, flags=re.DOTALL))
    file = tmp_path / "example.py"
    file.write_text(example, encoding="utf-8")
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": ""}
    done = run([sys.executable, str(file)], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_of_the_repository_is_imported(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level + (node.module or ""))
    ours = {name for name in imported if name.partition(".")[0] in OURS or name.startswith(".")}
    assert {name for name in ours if not name.startswith("schema.engine")} == set()
