"""Stripe: PaymentIntents for storefronts with Stripe.js, Checkout Sessions for redirects (docs/payments.md)."""

from backend.payments.gateways.stripe.adapter import StripeGateway

__all__ = ["GATEWAY"]

GATEWAY = StripeGateway
