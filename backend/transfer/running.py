"""Running an import: one transaction for each thing, or one that is rolled back at the end of a dry run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DataError, IntegrityError, transaction
from tqdm import tqdm

from backend.core.errors import DomainError
from backend.core.saving import Outcome
from backend.transfer.errors import BadRows
from backend.transfer.report import Report


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
    with _rolled_back(dry_run), progress:
        for unit in units:
            report.rows += len(unit.lines)
            _run(unit, report)
            progress.update(len(unit.lines))


def _run(unit: Unit, report: Report) -> None:
    try:
        with transaction.atomic():
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


@contextmanager
def _rolled_back(dry_run: bool) -> Iterator[None]:
    """A transaction around everything that is undone at the end: later things of the file see earlier ones."""
    if not dry_run:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
