"""Running an import: one transaction for each thing. A dry run does the same to copies of the tables."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import DataError, IntegrityError, transaction
from tqdm import tqdm

from backend.core.errors import DomainError
from backend.core.saving import Outcome
from backend.transfer.errors import BadRows
from backend.transfer.report import Report
from backend.transfer.scratch import forbid_real_writes, scratch_tables


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing of a file: it is imported whole, or not at all.

    `save` writes it in the runner's transaction and raises BadRows or DomainError when it cannot be.
    `forget` is called when what `save` wrote is rolled back.
    """

    kind: str
    name: str
    lines: Sequence[int]
    save: Callable[[], Outcome]
    forget: Callable[[], None] = lambda: None


def run_import(units: Iterable[Unit], report: Report, *, dry_run: bool, progress: "tqdm[None]") -> None:
    """Import what can be imported and report the rest. With `dry_run` all is tried, and nothing is kept."""
    with scratch_tables() if dry_run else nullcontext(), progress:
        for unit in units:
            _run(unit, report, dry_run=dry_run)
            report.rows += len(unit.lines)
            progress.update(len(unit.lines))


def _run(unit: Unit, report: Report, *, dry_run: bool) -> None:
    try:
        with transaction.atomic():
            if dry_run:
                forbid_real_writes()
            outcome = unit.save()
    except BadRows as error:
        reasons = error.reasons
    except DomainError as error:
        reasons = [part.message for part in error.parts]
    except (IntegrityError, DataError) as error:
        reasons = [f"the database refuses it: {str(error).splitlines()[0]}"]
    else:
        report.count(unit.kind, outcome)
        return
    unit.forget()
    report.skip(unit.kind, unit.lines, unit.name, reasons)
