"""Paymob: Egypt, and by their own hosts the Emirates, Saudi Arabia, Oman and Pakistan."""

from backend.payments.gateways.paymob.adapter import GATEWAY

__all__ = ["GATEWAY"]
