"""The sandbox's own side: its charges and refunds, and the webhooks that they cause."""

import secrets
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import httpx
import orjson
from django.conf import settings
from django.db import transaction

from backend.core import clock, outbox
from backend.payments.gateways.base import GatewayUnavailable
from backend.payments.models import SandboxCharge, SandboxRefund
from backend.payments.sandbox import signing
from backend.payments.sandbox.scenarios import LATE_S, Delivery, Scenario, deliveries

OPEN, AUTHENTICATING, PROCESSING, AUTHORIZED = "OPEN", "AUTHENTICATING", "PROCESSING", "AUTHORIZED"
SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
ERROR_MESSAGES = {"CARD_DECLINED": "The card was declined.", "ABANDONED": "The buyer closed the payment page."}
WEBHOOK_TIMEOUT_S = 10
ANSWERED_WITHIN = timedelta(days=7)
"""So long the shop has to answer a dispute."""
_AFTER_PAY = {Scenario.AUTHENTICATE: AUTHENTICATING, Scenario.DECLINE: FAILED}


class Refused(Exception):
    """What a gateway answers to a request that cannot be carried out."""


def create(
    *,
    merchant_reference: str,
    amount: int,
    currency: str,
    description: str,
    return_url: str,
    scenario: str,
    manual_capture: bool = False,
) -> SandboxCharge:
    """A charge for the merchant's reference; the same reference again gives the same charge.

    Raises GatewayUnavailable for START_TIMEOUT the first time: the charge is there, but its answer was lost.
    """
    charge, created = SandboxCharge.objects.get_or_create(
        merchant_reference=merchant_reference,
        defaults={
            "id": f"ch_{secrets.token_hex(12)}",
            "amount": amount,
            "currency": currency,
            "description": description,
            "return_url": return_url,
            "scenario": scenario or Scenario.APPROVE.value,
            "manual_capture": manual_capture,
            "state": OPEN,
            "created_at": clock.now(),
        },
    )
    if created and charge.scenario == Scenario.START_TIMEOUT.value:
        raise GatewayUnavailable("the sandbox did not answer in time")
    return charge


@transaction.atomic
def press(charge_id: str, button: str) -> SandboxCharge:
    """What happens when the buyer presses pay, authenticate, decline or close.

    A press that the charge's state has no use for changes nothing: a second click, or one on a page left open.
    """
    charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
    state = _after(charge, button)
    if state == charge.state:
        return charge
    charge.state = AUTHORIZED if state == SUCCEEDED and charge.manual_capture else state
    if state != AUTHENTICATING:
        _finish(charge)
    charge.save()
    return charge


@transaction.atomic
def capture(*, charge_id: str, amount: int) -> SandboxCharge:
    """Take what was set aside, or part of it; the second time changes nothing. Raises Refused."""
    charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
    if charge.state == SUCCEEDED and charge.captured == amount:
        return charge
    if charge.state != AUTHORIZED or not 0 < amount <= charge.amount:
        raise Refused("There is not so much set aside.")
    charge.state, charge.captured = SUCCEEDED, amount
    charge.save()
    return charge


@transaction.atomic
def cancel(*, charge_id: str) -> SandboxCharge:
    """Give up an open or authorized charge; the second time changes nothing. Raises Refused."""
    charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
    if charge.state not in (OPEN, AUTHENTICATING, AUTHORIZED, CANCELLED):
        raise Refused("It is over already.")
    if charge.state != CANCELLED:
        charge.state, charge.finished_at = CANCELLED, clock.now()
        charge.save()
    return charge


def _after(charge: SandboxCharge, button: str) -> str:
    if is_finished(charge):
        return charge.state
    if button == "decline":
        return FAILED
    if button == "close":
        return CANCELLED
    if charge.state == AUTHENTICATING:
        return SUCCEEDED if button == "authenticate" else AUTHENTICATING
    if button != "pay":
        return charge.state
    return _AFTER_PAY.get(Scenario(charge.scenario), SUCCEEDED)


def is_finished(charge: SandboxCharge) -> bool:
    return charge.state not in (OPEN, AUTHENTICATING)


def told(charge: SandboxCharge) -> str:
    """The charge's state as the gateway tells it: with WEBHOOK_LATE it knows of the end only when its webhook does."""
    if not is_finished(charge):
        return OPEN
    if charge.scenario != Scenario.WEBHOOK_LATE.value or charge.finished_at is None:
        return charge.state
    return charge.state if clock.now() >= charge.finished_at + timedelta(seconds=LATE_S) else PROCESSING


def refund(*, charge_id: str, amount: int, idempotency_key: str) -> SandboxRefund:
    """Give back part of a charge, once for each key. Raises Refused for more than is left."""
    with transaction.atomic():
        charge = SandboxCharge.objects.select_for_update().get(pk=charge_id)
        earlier = SandboxRefund.objects.filter(idempotency_key=idempotency_key).first()
        if earlier is not None:
            return earlier
        if charge.state != SUCCEEDED or amount > charge.captured - charge.refunded:
            raise Refused("There is not so much left to give back.")
        charge.refunded += amount
        charge.save()
        return SandboxRefund.objects.create(
            id=f"re_{secrets.token_hex(12)}",
            charge=charge,
            idempotency_key=idempotency_key,
            amount=amount,
            created_at=clock.now(),
        )


def deliver(charge_id: str, data: dict[str, Any]) -> int:
    """Send one webhook by HTTP; returns the shop's status code. Raises httpx.HTTPError when it cannot be reached."""
    charge = SandboxCharge.objects.get(pk=charge_id)
    delivery = Delivery(**data)
    body = message(charge, delivery)
    signature = signing.sign(body)
    if delivery.forged:
        signature = signature[:-8] + "00000000"
    headers = {signing.HEADER: signature, "content-type": "application/json"}
    url = f"{settings.SANDBOX_WEBHOOK_URL}/webhooks/sandbox/"
    return httpx.post(url, content=body, headers=headers, timeout=WEBHOOK_TIMEOUT_S).status_code


def message(charge: SandboxCharge, delivery: Delivery) -> bytes:
    """A webhook's raw body. Amounts in minor units."""
    dispute = {
        "id": f"dp_{charge.pk}",
        "state": delivery.dispute,
        "amount": charge.captured,
        "currency": charge.currency,
        "reason": "fraudulent",
        "respond_by": (charge.finished_at or clock.now()) + ANSWERED_WITHIN,
    }
    return orjson.dumps(
        {
            **({"dispute": dispute} if delivery.dispute else {}),
            "id": delivery.event_id,
            "state": delivery.state,
            "charge": {
                "id": charge.pk,
                "merchant_reference": charge.merchant_reference,
                "amount": charge.amount + delivery.amount_off,
                "currency": delivery.currency or charge.currency,
                "error_code": charge.error_code,
                "error_message": ERROR_MESSAGES.get(charge.error_code, ""),
            },
        }
    )


def _finish(charge: SandboxCharge) -> None:
    charge.finished_at = clock.now()
    if charge.state == SUCCEEDED:
        charge.captured = charge.amount
    elif charge.state != AUTHORIZED:
        charge.error_code = "CARD_DECLINED" if charge.state == FAILED else "ABANDONED"
    scenario = Scenario(charge.scenario)
    if scenario is Scenario.WEBHOOK_BEFORE_REDIRECT:
        return  # the payment page sends it itself, before it lets the buyer go
    for delivery in deliveries(scenario, charge_id=charge.pk, state=charge.state, currency=charge.currency):
        outbox.emit("sandbox.webhook_due", key=charge.pk, data=asdict(delivery), delay_s=delivery.delay_s)
