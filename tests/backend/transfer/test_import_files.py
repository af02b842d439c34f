"""Files that cannot be imported at all: one clear sentence, a failing exit, nothing written."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.backend.transfer.conftest import Run, everything

pytestmark = pytest.mark.django_db
GOOD = "Handle,Title,Variant Price\nshirt,Shirt,5\nhat,Hat,x\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\n \n", "it is empty"),
        (b"PK\x03\x04rest", "it is a spreadsheet or an archive"),
        (b"SQLite format 3\x00\x00", "it is not text"),
        (b"\x89PNG\r\n\x1a\n\x00", "it has no column"),
        (b"\x81\x8d\x8f", "it is not text in UTF-8"),
        (b"name,amount\na,1\n", "it has no column 'Handle' and 'Title' and 'Variant Price'"),
        (b"Handle,Title\na,1\n", "it has no column 'Variant Price'"),
        (b"just some words\n", "it has no column"),
    ],
)
def test_file_that_is_no_export_is_refused_in_a_sentence(run_import: Run, content: bytes, reason: str) -> None:
    before = everything()
    with pytest.raises(CommandError) as caught:
        run_import(content)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 1
    assert everything() == before


@pytest.mark.parametrize("format", ["shopify", "cartograph"])
def test_folders_and_missing_files_are_refused(run_import: Run, tmp_path: Path, format: str) -> None:
    with pytest.raises(CommandError, match="it is a folder"):
        run_import(tmp_path, format)
    with pytest.raises(CommandError, match="no such file"):
        run_import(tmp_path / "nowhere.csv", format)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"Handle,Title\n", "its first line is not"),
        (b"[1]\n", "its first line is not"),
        (b'{"cartograph": 1}\n', "its first line is not"),
        (b'{"cartograph": {"version": 2}}\n', "it has the version 2"),
    ],
)
def test_file_that_is_no_catalog_is_refused_in_a_sentence(run_import: Run, content: bytes, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run_import(content, "cartograph")


def test_skipped_products_fail_only_a_strict_import(run_import: Run) -> None:
    assert "hat" in run_import(GOOD)
    with pytest.raises(CommandError, match="--strict"):
        run_import(GOOD, strict=True)


@pytest.mark.parametrize("arguments", [["--currency", "XXY"], ["--location", " "], ["--format", "xml"]])
def test_impossible_arguments_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    with pytest.raises(CommandError):
        call_command("import_catalog", str(path), "--format", "shopify", *arguments)


def test_progress_is_shown_on_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    call_command("import_catalog", str(path), format="shopify")
    captured = capsys.readouterr()
    assert "2/2" in captured.err
    assert "rows" in captured.err
    assert captured.out.startswith(" ")
