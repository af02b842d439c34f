"""How a sandbox payment behaves, chosen by name before it begins."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


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
    DISPUTE_WON = "DISPUTE_WON"
    DISPUTE_LOST = "DISPUTE_LOST"


LATE_S = 20 * 60
"""How late WEBHOOK_LATE is, and how long asking tells nothing either: beyond the order's 15 minutes."""
SOON_S = 2
DISPUTED_S = 10 * 60
"""How long a bank takes to decide a dispute: weeks in the world, here so that both can be seen."""


_DISPUTES = {Scenario.DISPUTE_WON: "WON", Scenario.DISPUTE_LOST: "LOST"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook to send: what it says, when (seconds from now), and what is wrong with it."""

    event_id: str
    state: str
    delay_s: float = 0
    forged: bool = False
    amount_off: int = 0
    currency: str = ""
    dispute: str = ""
    """The state of a dispute about the charge, which this tells of."""


def misreport(scenario: Scenario, currency: str) -> dict[str, Any]:
    """What the gateway gets wrong whenever it tells of the charge: a webhook and an answer must not differ."""
    if scenario is Scenario.WRONG_AMOUNT:
        return {"amount_off": 1}
    if scenario is Scenario.WRONG_CURRENCY:
        return {"currency": "EUR" if currency != "EUR" else "USD"}
    return {}


def deliveries(scenario: Scenario, *, charge_id: str, state: str, currency: str) -> list[Delivery]:
    """The webhooks that a charge sends on reaching a final state."""
    wrong = misreport(scenario, currency)
    done = Delivery(event_id=f"evt_{charge_id}_{state.lower()}", state=state, **wrong)
    processing = Delivery(event_id=f"evt_{charge_id}_processing", state="PROCESSING")
    disputed = replace(done, event_id=f"evt_{charge_id}_dispute", dispute="OPEN", delay_s=SOON_S)
    if state == "SUCCEEDED" and scenario in _DISPUTES:
        end = _DISPUTES[scenario]
        over = replace(disputed, event_id=f"{disputed.event_id}_{end.lower()}", dispute=end, delay_s=DISPUTED_S)
        return [done, disputed, over]
    plans = {
        Scenario.WEBHOOK_TWICE: [done, done],
        Scenario.WEBHOOK_OUT_OF_ORDER: [done, replace(processing, delay_s=SOON_S)],
        Scenario.WEBHOOK_LATE: [replace(done, delay_s=LATE_S)],
        Scenario.WEBHOOK_BAD_SIGNATURE: [replace(done, forged=True)],
        Scenario.WEBHOOK_MISSING: [],
    }
    return plans.get(scenario, [done])
