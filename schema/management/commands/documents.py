"""Load the documents that clients may run by their ids, and list them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from schema.root import schema
from schema.server.manifests import ManifestError, Trusted, names_of, problem, problems, read_manifest
from schema.server.persisted_store import all_trusted, load_trusted


class Command(BaseCommand):
    help = "Trusted documents: load a manifest of Apollo's, Relay's or graphql-codegen's, or list what is loaded."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        load = commands.add_parser("load", help="Add the documents of manifests; all or none.")
        load.add_argument("files", nargs="+", metavar="FILE", type=Path)
        load.add_argument("--replace", action="store_true", help="Forget all other trusted documents.")
        commands.add_parser("list", help="Print the names, ids and hashes, that documents are found by.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["command"] == "load":
                self._load(options["files"], replace=options["replace"])
            else:
                self._list()
        except RedisError as error:
            raise CommandError(f"Redis does not answer: {error}") from None

    def _load(self, files: list[Path], *, replace: bool) -> None:
        trusted = [each for file in files for each in _read(file)]
        found = problems(schema, trusted)
        if not replace:
            known = all_trusted()
            found += [
                problem(each, "Another document was loaded under this id before; --replace forgets that.")
                for each in trusted
                if known.get(each.id, each.text) != each.text
            ]
        if found:
            raise CommandError("Nothing was loaded.\n" + "\n".join(found))
        load_trusted(names_of(trusted), replace=replace)
        self.stdout.write(f"Loaded {len(trusted)} documents.")

    def _list(self) -> None:
        for name in sorted(all_trusted()):
            self.stdout.write(name)


def _read(file: Path) -> list[Trusted]:
    try:
        return read_manifest(file.read_text(encoding="utf-8-sig"))  # some editors begin with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
    except ManifestError as error:
        raise CommandError(f"{file} is refused: {error}.") from None
