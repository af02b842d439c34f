"""`manage.py demo_data --products N`."""

import argparse
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from backend.core.errors import DomainError
from backend.transfer.bulk.generating import MAX_VARIANTS
from backend.transfer.bulk.loading import load_products

MAX_PRODUCTS = 10_000_000


class Command(BaseCommand):
    help = (
        "Fill the shop with invented products. The same seed makes the same products; those that are there already "
        "are passed over, so that a larger number adds to a smaller one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--products", type=_number(1, MAX_PRODUCTS), required=True, metavar="N")
        parser.add_argument("--seed", type=_number(0, 10**9), default=1)
        parser.add_argument("--variants", type=_number(1, MAX_VARIANTS), default=3, help="of each product")

    def handle(self, *, products: int, seed: int, variants: int, verbosity: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Invented products have no place in a shop in production.")
        started = time.monotonic()
        every_s = 0.1 if sys.stderr.isatty() else 10.0
        with tqdm(total=products, unit=" products", mininterval=every_s, disable=verbosity == 0) as bar:
            try:
                written = load_products(products=products, seed=seed, variants=variants, progress=bar.update)
            except DomainError as error:
                raise CommandError(error.message) from error
        seconds = time.monotonic() - started
        there = products - written
        self.stdout.write(f"{written:,} products written in {seconds:.0f} s, {there:,} were there already.")


def _number(low: int, high: int) -> Any:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:,} to {high:,}")
        return int(text)

    return parse
