"""`python -m backend.local.prepare`: tables and demo data, in one process because each costs a start of Django."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from backend.local.errors import EXPLAINED


def main() -> int:
    """Bring the database up to date; fill the shop when it is empty (`seed` looks itself)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return EXPLAINED
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Creating tables ...", flush=True)
        call_command("migrate", verbosity=0, interactive=False)
    call_command("seed")
    # WhiteNoise warns at every start when the folder is not there, though development collects nothing in it.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
