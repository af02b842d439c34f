"""Compare days of our ledger with a gateway's own report."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.core.errors import DomainError
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.reconciling import reconcile


class Command(BaseCommand):
    help = "List what differs between our ledger and a gateway's report. Ends with status 1 when something does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--gateway", required=True)
        parser.add_argument("--account", default=DEFAULT)
        parser.add_argument("--from", dest="first", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", required=True, type=date.fromisoformat, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            found = reconcile(
                gateway_id=given["gateway"], account=given["account"], first=given["first"], last=given["last"]
            )
        except (DomainError, GatewayUnavailable) as error:
            raise CommandError(str(error)) from error
        for each in found:
            sums = ", ".join(filter(None, (each.ours and f"ours {each.ours}", each.theirs and f"theirs {each.theirs}")))
            self.stdout.write(f"{each.what}: {each.kind} {each.gateway_id} ({sums})")
        if found:
            raise CommandError(f"{len(found)} differences.", returncode=1)
        self.stdout.write("No differences.")
