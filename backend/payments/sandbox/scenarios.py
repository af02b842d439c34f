"""How a sandbox payment behaves, chosen by name before it begins."""

from dataclasses import dataclass
from enum import Enum


class Scenario(Enum):
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    AUTHENTICATE = "AUTHENTICATE"
    START_TIMEOUT = "START_TIMEOUT"
    WEBHOOK_TWICE = "WEBHOOK_TWICE"
    WEBHOOK_BEFORE_REDIRECT = "WEBHOOK_BEFORE_REDIRECT"
    WEBHOOK_OUT_OF_ORDER = "WEBHOOK_OUT_OF_ORDER"
    WEBHOOK_LATE = "WEBHOOK_LATE"
    WEBHOOK_BAD_SIGNATURE = "WEBHOOK_BAD_SIGNATURE"
    WEBHOOK_MISSING = "WEBHOOK_MISSING"
    WRONG_AMOUNT = "WRONG_AMOUNT"
    WRONG_CURRENCY = "WRONG_CURRENCY"


LATE_S = 20 * 60
"""How late WEBHOOK_LATE is: after the order's 15 minutes."""
SOON_S = 2


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook to send: what it says, when (seconds from now), and what is wrong with it."""

    event_id: str
    state: str
    delay_s: float = 0
    forged: bool = False
    amount_off: int = 0
    currency: str = ""


def deliveries(scenario: Scenario, *, charge_id: str, state: str, currency: str) -> list[Delivery]:
    """The webhooks that a charge sends on reaching a final state."""
    done = Delivery(event_id=f"evt_{charge_id}_{state.lower()}", state=state)
    processing = Delivery(event_id=f"evt_{charge_id}_processing", state="PROCESSING")
    other = "EUR" if currency != "EUR" else "USD"
    plans = {
        Scenario.WEBHOOK_TWICE: [done, done],
        Scenario.WEBHOOK_OUT_OF_ORDER: [done, _with(processing, delay_s=SOON_S)],
        Scenario.WEBHOOK_LATE: [_with(done, delay_s=LATE_S)],
        Scenario.WEBHOOK_BAD_SIGNATURE: [_with(done, forged=True)],
        Scenario.WEBHOOK_MISSING: [],
        Scenario.WRONG_AMOUNT: [_with(done, amount_off=1)],
        Scenario.WRONG_CURRENCY: [_with(done, currency=other)],
    }
    return plans.get(scenario, [done])


def _with(delivery: Delivery, **changes: object) -> Delivery:
    fields = {name: getattr(delivery, name) for name in Delivery.__slots__}
    return Delivery(**{**fields, **changes})  # type: ignore[arg-type]
