"""Which commands start the engines."""

import pytest

import manage


@pytest.mark.parametrize("line", ["migrate", "seed", "shell", "runserver 8001", "createsuperuser", "makemigrations"])
def test_commands_that_read_or_write_rows_need_stores(line: str) -> None:
    assert manage.needs_stores(line.split())


@pytest.mark.parametrize(
    "line", ["", "help", "--version", "migrate --help", "check --deploy", "export_schema", "makemigrations --check"]
)
def test_commands_that_answer_from_the_source_need_none(line: str) -> None:
    assert not manage.needs_stores(line.split())
