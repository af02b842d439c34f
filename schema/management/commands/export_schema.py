"""Write `schema.graphql`, or check that it is current."""

import difflib
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from strawberry.printer import print_schema

from schema.root import schema

SHOWN_LINES = 40


def printed_schema() -> str:
    """Strawberry's printer tells where directives are used, unlike graphql-core's."""
    return print_schema(schema) + "\n"


class Command(BaseCommand):
    help = "Write the GraphQL schema to schema.graphql."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Fail if the file is not current; write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "schema.graphql"
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        wanted = printed_schema()
        if current == wanted:
            return
        if not options["check"]:
            path.write_text(wanted, encoding="utf-8")
            self.stdout.write(f"Wrote {path.name}.")
            return
        difference = difflib.unified_diff(current.splitlines(), wanted.splitlines(), "file", "code", lineterm="")
        sys.stdout.write("\n".join(list(difference)[:SHOWN_LINES]) + "\n")
        raise CommandError("schema.graphql is not current: run `make schema`.")
