"""`manage.py seed`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from backend.accounts.models import User
from backend.catalog.models import Product
from backend.transfer.demo import PER_DOLLAR, fill_catalog, invite_people, price_abroad


class Command(BaseCommand):
    help = "Fill a shop without products with a demo catalog, and a shop without users with demo users."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--abroad", action="store_true", help="price demo goods in EGP, BDT and IRR too")

    def handle(self, *, verbosity: int, abroad: bool = False, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo shop and its known passwords have no place in production.")
        said = []
        with transaction.atomic():
            empty = not Product.objects.exists()
            if empty:
                said.append(f"{fill_catalog()} products")
            # Who has imported a catalog of their own signs in as somebody, too.
            if empty or not User.objects.exists():
                said.append(f"{invite_people()} users")
            if abroad and (written := price_abroad()):
                said.append(f"{written} prices in {', '.join(PER_DOLLAR)}")
        if verbosity and said:
            self.stdout.write(f"Demo shop: {', '.join(said)}.")
        elif verbosity > 1:
            self.stdout.write("The shop has products and users already.")
