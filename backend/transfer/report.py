"""What an import did, in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backend.core.saving import Outcome

MAX_NOTES = 100
_COLUMNS = ("created", "updated", "unchanged", "skipped")


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows of a file that nothing was made of, and why."""

    lines: Sequence[int]
    name: str
    reasons: Sequence[str]


@dataclass(slots=True)
class Report:
    """Counts by kind of thing ("products"), skipped rows with reasons, and notes."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_rows: int = 0
    notes: list[str] = field(default_factory=list)
    notes_left_out: int = 0

    def count(self, kind: str, outcome: Outcome) -> None:
        self.counts.setdefault(kind, Counter())[outcome.value] += 1

    def skip(self, kind: str, lines: Sequence[int], name: str, reasons: Sequence[str]) -> None:
        """A thing that was left out whole."""
        self.counts.setdefault(kind, Counter())["skipped"] += 1
        self.skip_rows(lines, name, reasons)

    def skip_rows(self, lines: Sequence[int], name: str, reasons: Sequence[str]) -> None:
        """Rows that were left out while the rest of their product was taken."""
        self.skipped.append(Skipped(lines, name, reasons))
        self.skipped_rows += len(lines)

    def note(self, notes: Iterable[str]) -> None:
        for note in notes:
            if len(self.notes) < MAX_NOTES:
                self.notes.append(note)
            else:
                self.notes_left_out += 1

    def text(self) -> str:
        """The report as it is printed."""
        lines = [f"{'':12}" + "".join(f"{name:>11}" for name in _COLUMNS)]
        for kind, counter in self.counts.items() or {"products": Counter[str]()}.items():
            lines.append(f"{kind:12}" + "".join(f"{counter[name]:>11,}" for name in _COLUMNS))
        lines.append(f"{self.rows:,} rows were read; {self.skipped_rows:,} of them were skipped.")
        if self.skipped:
            lines += ["", "Skipped:"]
            for each in self.skipped:
                lines.append(f"  {line_range(each.lines)}: {each.name}")
                lines += [f"    {reason}" for reason in each.reasons]
        if self.notes:
            lines += ["", "Notes:", *(f"  {note}" for note in self.notes)]
        if self.notes_left_out:
            lines.append(f"  ... and {self.notes_left_out:,} more.")
        return "\n".join(lines)


def line_range(lines: Sequence[int]) -> str:
    """ "line 4", "lines 4-6" or "lines 4-6, 9"."""
    parts: list[list[int]] = []
    for line in sorted(lines):
        if parts and line == parts[-1][-1] + 1:
            parts[-1].append(line)
        else:
            parts.append([line])
    text = ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
    return f"line{'s' if len(lines) > 1 else ''} {text}"
