#!/usr/bin/env python
"""Django's command line. Where no database and Redis are given, the embedded ones are used or started."""

import os
import sys

# Commands that answer from the source alone.
WITHOUT_STORES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "export_schema",
    "help",
    "makemessages",
    "startapp",
    "version",
}
HELP = {"-h", "--help", "--version"}


def needs_stores(arguments: list[str]) -> bool:
    """Whether a command line such as `["migrate", "--plan"]` reads or writes a store."""
    if not arguments or arguments[0] in WITHOUT_STORES or HELP & set(arguments):
        return False
    return not (arguments[0] == "makemigrations" and "--check" in arguments)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    if needs_stores(sys.argv[1:]):
        from backend.local.engines import prepare_environment
        from backend.local.errors import LocalError

        try:
            prepare_environment()
        except LocalError as error:
            sys.exit(str(error))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
