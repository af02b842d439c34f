"""`python -m backend.local.prepare FD [doubles]`: tables and demo data, in one process: each costs a start of Django.

Writes the emails of the demo users that there are, one a line, to the open file FD. With `doubles` of the gateways,
demo goods are priced in their currencies.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from backend.core.demo import DEMO_USERS
from backend.local.errors import EXPLAINED


def main(answer: int, *, doubles: bool = False) -> int:
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
    if not settings.PRODUCTION:
        call_command("seed", abroad=doubles)
    with open(answer, "w", encoding="utf-8") as file:
        file.writelines(f"{email}\n" for email in _demo_users())
    # WhiteNoise warns at every start when the folder is not there, though development collects nothing in it.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    return 0


def _demo_users() -> list[str]:
    emails = [user.email for user in DEMO_USERS]
    return list(get_user_model().objects.filter(email__in=emails, is_active=True).values_list("email", flat=True))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), doubles=sys.argv[2:] == ["doubles"]))
