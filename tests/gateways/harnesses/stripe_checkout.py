"""Stripe by Checkout Sessions: buyers are sent to Stripe's page and come back."""

from backend.payments.models import Payment
from tests.gateways.harness import Sent
from tests.gateways.harnesses.stripe import StripeHarness


class CheckoutHarness(StripeHarness):
    flow = "REDIRECT"

    def returns(self, payment: Payment) -> Sent | None:
        return Sent(method="GET")


HARNESS = CheckoutHarness()
