"""A harmless round trip with a gateway's credentials, told line by line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.payments.checking import LiveKeys, check_gateway
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.optional import Verdict
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.texts import fitting

SECRET = ("secret", "passw", "token", "key", "merchant_id", "client_id")
"""Settings with such names are blotted out, whoever wrote them."""


class Command(BaseCommand):
    help = "Ask a gateway whether its account works. No money moves. Ends with status 1 when something failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="As in shop.paymentGateways: stripe, paypal, paymob ...")
        parser.add_argument("--account", default=DEFAULT)
        parser.add_argument("--live", action="store_true", help="Ask with live credentials too; no payment is begun.")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            gateway = registry.get(given["name"], given["account"])
            findings = check_gateway(gateway, live=given["live"])
        except GatewayNotOffered as error:
            known = ", ".join(f"{each.id} {each.account.name}" for each in registry.enabled())
            raise CommandError(f"{error} Set up are: {known}.", returncode=2) from error
        except LiveKeys as error:
            raise CommandError(str(error), returncode=2) from error
        secrets = [value for name, value in gateway.account.values if value and any(word in name for word in SECRET)]
        failed = 0
        for each in findings:
            said = fitting(each.said, 500)
            for secret in secrets:
                said = said.replace(secret, "***") if len(secret) > 3 else said
            failed += each.verdict is Verdict.BAD
            self.stdout.write(f"{each.verdict.value:<7}{each.what}: {said}")
        if failed:
            raise CommandError(f"{failed} failed.", returncode=1)
        self.stdout.write(f"{gateway.name} ({gateway.account.name}) works.")
