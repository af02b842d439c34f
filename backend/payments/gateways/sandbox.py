"""The sandbox as a gateway of ours: what a real one's module does, against `backend.payments.sandbox`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from backend.payments.gateways.base import (
    ChargeReport,
    ChargeState,
    Flow,
    GatewayMessage,
    RefundRefused,
    SignatureInvalid,
    Started,
    StartRequest,
)
from backend.payments.models import SandboxCharge
from backend.payments.sandbox import charges, signing
from backend.payments.sandbox.scenarios import Scenario, misreport


class SandboxGateway:
    """Moves no money. Takes every currency."""

    id = "sandbox"
    name = "Sandbox"
    flow = Flow.REDIRECT

    def currencies(self) -> frozenset[str] | None:
        return None

    def start(self, request: StartRequest) -> Started:
        charge = charges.create(
            merchant_reference=str(request.payment_id),
            amount=request.amount,
            currency=request.currency,
            description=request.order_number,
            return_url=request.return_url,
            scenario=request.scenario,
        )
        url = f"{settings.PUBLIC_URL}/sandbox/pay/{charge.pk}/"
        return Started(reference=charge.pk, next_action={"type": "REDIRECT", "url": url})

    def verify(self, *, reference: str, payment_id: UUID) -> ChargeReport | None:
        charge = SandboxCharge.objects.filter(merchant_reference=str(payment_id)).first()
        return None if charge is None else _report(charge)

    def refund(self, *, reference: str, amount: int, currency: str, key: str) -> str:
        try:
            return charges.refund(charge_id=reference, amount=amount, idempotency_key=key).pk
        except charges.Refused as error:
            raise RefundRefused(str(error)) from error

    def parse_webhook(self, *, body: bytes, headers: Mapping[str, str]) -> GatewayMessage:
        if not signing.is_authentic(body, headers.get(signing.HEADER, "")):
            raise SignatureInvalid
        return self.read_webhook(body)

    def read_webhook(self, body: bytes) -> GatewayMessage:
        try:
            message = orjson.loads(body)
            charge = message["charge"]
            report = ChargeReport(
                reference=str(charge["id"]),
                payment_id=str(charge["merchant_reference"]),
                state=ChargeState(message["state"]),
                amount=_whole(charge["amount"]),
                currency=str(charge["currency"]),
                error_code=str(charge.get("error_code", "")),
                error_message=str(charge.get("error_message", "")),
            )
            return GatewayMessage(event_id=_named(message["id"]), report=report)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise SignatureInvalid("signed, but not a message of ours") from error


def _whole(amount: Any) -> int:
    """Minor units as they are: half a cent is nothing to round."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError("an amount is a whole number")
    return amount


def _named(event_id: Any) -> str:
    """Messages are told apart by their ids: two without one would be taken for the same."""
    if not isinstance(event_id, str) or not event_id:
        raise TypeError("an event has an id")
    return event_id


def _report(charge: SandboxCharge) -> ChargeReport:
    state = ChargeState(charges.told(charge))
    ended = state not in (ChargeState.OPEN, ChargeState.PROCESSING)
    wrong = misreport(Scenario(charge.scenario), charge.currency) if ended else {}
    error_code = charge.error_code if ended else ""
    return ChargeReport(
        reference=charge.pk,
        payment_id=charge.merchant_reference,
        state=state,
        amount=charge.amount + wrong.get("amount_off", 0),
        currency=wrong.get("currency", charge.currency),
        error_code=error_code,
        error_message=charges.ERROR_MESSAGES.get(error_code, ""),
    )
