"""Seal authenticators with today's SECRET_KEY, so that a former one can be dropped."""

from typing import Any

from django.core.management.base import BaseCommand

from backend.accounts.services import reseal_second_factors


class Command(BaseCommand):
    help = "Seal the keys of second factors with SECRET_KEY. Run it before you drop one of SECRET_KEY_FALLBACKS."

    def handle(self, *args: Any, **options: Any) -> None:
        sealed, lost = reseal_second_factors()
        self.stdout.write(f"{sealed} sealed anew; {lost} could not be read.")
