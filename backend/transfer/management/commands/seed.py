"""`manage.py seed`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backend.catalog.models import Product
from backend.transfer.demo import fill_catalog, invite_people


class Command(BaseCommand):
    help = "Fill an empty shop with a demo catalog and demo users. A shop that has a product is left as it is."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo shop and its known passwords have no place in production.")
        if Product.objects.exists():
            if verbosity > 1:
                self.stdout.write("The shop has products already.")
            return
        with transaction.atomic():
            products = fill_catalog()
            invite_people()
        if verbosity:
            self.stdout.write(f"Demo shop: {products} products.")
