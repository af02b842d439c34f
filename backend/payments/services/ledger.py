"""What money has done, line after line, and the state that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from backend.core import clock
from backend.payments.models import (
    Payment,
    PaymentState,
    PaymentTransaction,
    PaymentTransition,
    TransactionKind,
)
from backend.payments.texts import fitting, fitting_json


@dataclass(frozen=True, slots=True)
class Sums:
    """Minor units of the payment's currency."""

    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    disputed: int = 0
    """What banks took for buyers and have not given back."""

    @property
    def kept(self) -> int:
        return self.captured - self.refunded


def sums_of(payment: Payment) -> Sums:
    rows = PaymentTransaction.objects.filter(payment=payment).values_list("kind").annotate(Sum("amount"))
    found: dict[str, int] = dict(rows)
    return Sums(
        authorized=found.get(TransactionKind.AUTHORIZE, 0) - found.get(TransactionKind.VOID, 0),
        captured=found.get(TransactionKind.CAPTURE, 0),
        refunded=found.get(TransactionKind.REFUND, 0) - found.get(TransactionKind.REFUND_REVERSAL, 0),
        disputed=found.get(TransactionKind.CHARGEBACK, 0) - found.get(TransactionKind.CHARGEBACK_REVERSAL, 0),
    )


def book(
    payment: Payment,
    kind: TransactionKind,
    *,
    amount: int,
    currency: str,
    gateway_id: str,
    excerpt: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to a locked payment's ledger, unless it is there: the same movement is written once. One statement."""
    line = PaymentTransaction(
        payment=payment,
        kind=kind,
        gateway_id=fitting(gateway_id, 255),
        amount=amount,
        currency=currency,
        excerpt=fitting_json(excerpt or {}),
        created_at=clock.now(),
    )
    # Only the same movement is passed over: what breaks another rule of the table is refused still.
    PaymentTransaction.objects.bulk_create([line], ignore_conflicts=True)


def step(payment: Payment, state: PaymentState, *, reason: str = "", by: int | None = None) -> None:
    """Set a locked payment's state and write the step into its time line; the caller saves it."""
    if payment.state == state:
        return
    PaymentTransition.objects.create(
        payment=payment,
        before=payment.state,
        after=state,
        reason=fitting(reason, 300),
        by_id=by,
        at=clock.now(),
    )
    payment.state = state


def derived(payment: Payment, sums: Sums | None = None) -> PaymentState:
    """The state that the ledger alone makes; the present one where no money has moved. `sums` where they are known."""
    sums = sums_of(payment) if sums is None else sums
    if sums.captured:
        if not sums.refunded:
            return PaymentState.SUCCEEDED
        return PaymentState.REFUNDED if sums.refunded >= sums.captured else PaymentState.PARTIALLY_REFUNDED
    return PaymentState.AUTHORIZED if sums.authorized else PaymentState(payment.state)
