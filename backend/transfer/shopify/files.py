"""Reading a CSV file row by row, whatever program saved it: encodings, line ends, separators, broken quotes."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.transfer.errors import BadFile
from backend.transfer.reading import CHUNK_BYTES, read_start
from backend.transfer.shopify.columns import read_header

_MAX_CELL = 16 << 20
_SEPARATORS = (",", ";", "\t")
_UNCLOSED = "unexpected end of data"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on, its filled cells by our column names, and what is wrong with it as a row."""

    line: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that was found to be readable. `columns` are our names of those that are read."""

    path: Path
    encoding: str
    separator: str
    names: list[str | None]
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(name for name in self.names if name is not None)

    def rows(self) -> Iterator[Row]:
        """Every row below the header that has anything in it, one at a time."""
        for line, cells, problem in _records(self.path, self.encoding, self.separator):
            if any(cell.strip() for cell in cells) or problem:
                yield self._row(line, cells, problem)

    def _row(self, line: int, cells: list[str], problem: str) -> Row:
        if not problem and any(cell.strip() for cell in cells[len(self.names) :]):
            problem = f"it has {len(cells)} cells and the header {len(self.names)}; is a quotation mark missing?"
        named = zip(self.names, cells, strict=False)
        return Row(line, {name: text for name, cell in named if name and (text := cell.strip())}, problem)


def open_csv(path: Path) -> CsvFile:
    """Look at a file and its header. Raises BadFile when it is not a CSV file that can be read."""
    csv.field_size_limit(_MAX_CELL)
    encoding, notes = _encoding(path)
    header = _first_line(path, encoding)
    separator = max(_SEPARATORS, key=header.count)
    _, cells, _ = next(_records(path, encoding, separator, header=True), (0, [], ""))
    names, unknown = read_header(cells)
    if unknown:
        notes.append(f"These columns are not read: {', '.join(unknown)}.")
    return CsvFile(path, encoding, separator, names, notes)


def _encoding(path: Path) -> tuple[str, list[str]]:
    """The file's encoding, found by reading all of it once, with a note where it is a guess."""
    start = read_start(path)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        candidates = ["utf-16"]
    else:
        _refuse_binary(start)
        candidates = ["utf-8-sig", "cp1252"]
    for encoding in candidates:
        if _decodes(path, encoding):
            guess = "The file is not in UTF-8; it was read as Windows-1252: look at accents and signs."
            return encoding, [guess] if encoding == "cp1252" else []
    raise BadFile("it is not text in UTF-8, UTF-16 or Windows-1252.")


def _refuse_binary(start: bytes) -> None:
    if start.startswith(b"PK\x03\x04"):
        raise BadFile("it is a spreadsheet or an archive; save it as CSV first.")
    if b"\x00" in start.partition(b"\n")[0]:
        raise BadFile("it is not text, so it is not a CSV file.")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _first_line(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="") as file:
        return next((line for line in file if line.strip()), "")


class _Record:
    """The lines of a file, remembering those of the record that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.text: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.text.append(line)
            yield line

    def is_unclosed(self, separator: str) -> bool:
        try:
            list(csv.reader(self.text, delimiter=separator, strict=True))
        except csv.Error as error:
            return str(error) == _UNCLOSED
        return False


def _records(
    path: Path, encoding: str, separator: str, *, header: bool = False
) -> Iterator[tuple[int, list[str], str]]:
    """(line, cells, problem) of every record; of the header alone when asked for. Blank lines are passed over."""
    with path.open(encoding=encoding, newline="") as file:
        record = _Record(file)
        reader = csv.reader(record, delimiter=separator)
        seen_header = False
        while True:
            line = reader.line_num + 1
            record.text.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], f"nothing from here on can be read: {error}."
                return
            if not seen_header:
                seen_header = bool(cells)
                if not header:
                    continue
            if cells:
                problem = ""
                if len(record.text) > 1 or not record.text[-1].endswith(("\n", "\r")):
                    problem = _unclosed(record, separator)
                yield line, cells, problem


def _unclosed(record: _Record, separator: str) -> str:
    if record.is_unclosed(separator):
        return "a quotation mark is opened and never closed, so nothing from here on can be read."
    return ""
