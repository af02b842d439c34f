"""`manage.py import_catalog FILE --format shopify|cartograph`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from babel.numbers import list_currencies
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from backend.transfer.cartograph.importing import CartographImport
from backend.transfer.cartograph.media import MediaFiles
from backend.transfer.errors import BadFile, BadValue
from backend.transfer.locations import check_location_name
from backend.transfer.report import Report
from backend.transfer.running import run_import
from backend.transfer.shopify.importing import ShopifyImport

INTERRUPTED = 130
"""How programs exit that were stopped by Ctrl-C."""


class Command(BaseCommand):
    help = "Import a catalog from a file. What cannot be imported is reported with its lines; the rest is imported."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=["shopify", "cartograph"], required=True)
        parser.add_argument("--dry-run", action="store_true", help="Report what would happen, and write nothing.")
        parser.add_argument("--strict", action="store_true", help="Exit with 1 when anything was skipped.")
        help_currency = "The currency of a Shopify file's prices (default: the shop's)."
        parser.add_argument("--currency", type=_currency, default=settings.DEFAULT_CURRENCY, help=help_currency)
        help_location = "Where a Shopify file's quantities lie (default: the shop's own place)."
        parser.add_argument("--location", type=_location, help=help_location)
        parser.add_argument("--media-dir", type=Path, help="Folder with the image files of a Cartograph file.")

    def handle(self, *, file: Path, dry_run: bool, strict: bool, **options: Any) -> None:
        report = Report()
        interrupted = False
        try:
            source = _source(file, report, dry_run=dry_run, **options)
            run_import(source.units(), report, dry_run=dry_run, progress=self._bar(source.total_rows, **options))
        except BadFile as error:
            raise CommandError(f"{file} was not imported: {error}") from error
        except KeyboardInterrupt:
            interrupted = True
        if dry_run:
            self.stdout.write("Dry run: nothing was written.")
        self.stdout.write(report.text())
        if interrupted:
            raise CommandError("Interrupted: the report tells what was done until then.", returncode=INTERRUPTED)
        if strict and report.skipped:
            raise CommandError("Something was skipped, and --strict was given.")

    def _bar(self, total: int, *, verbosity: int, **_: Any) -> "tqdm[None]":
        """A progress bar on the standard error stream; where nobody looks at it live, it tells less often."""
        every_s = 0.1 if sys.stderr.isatty() else 5.0
        return tqdm(total=total, unit=" rows", file=sys.stderr, mininterval=every_s, disable=verbosity == 0)


def _source(
    file: Path, report: Report, *, dry_run: bool, format: str, currency: str, location: str | None, **options: Any
) -> ShopifyImport | CartographImport:
    if format == "shopify":
        return ShopifyImport(file, currency=currency, location=location, report=report)
    media = MediaFiles(options["media_dir"], report=report, dry_run=dry_run)
    return CartographImport(file, media=media, report=report)


def _currency(text: str) -> str:
    if text.upper() not in list_currencies():
        raise argparse.ArgumentTypeError(f"{text!r} is not the code of a currency, such as USD")
    return text.upper()


def _location(text: str) -> str:
    try:
        check_location_name(text)
    except BadValue as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text.strip()
