"""Payments as clients see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
import strawberry_django

from backend.orders.queries import orders_by_id
from backend.payments import models
from backend.payments.queries import captured_at_by_payment, refunds_by_payment
from backend.payments.sandbox.scenarios import Scenario
from schema.engine import ColumnField, batched, computed
from schema.orders.types import Order
from schema.server.enums import describe_enum
from schema.server.money import Money, money
from schema.server.node import Node, register

strawberry.enum(models.PaymentState, name="PaymentState", description="Where an attempt to pay stands.")
describe_enum(
    models.PaymentState,
    {
        "PENDING": "Recorded; the gateway has not answered yet.",
        "REQUIRES_ACTION": "The buyer has to do something: see `nextAction`.",
        "PROCESSING": "The gateway is at work.",
        "AUTHORIZED": "Money is set aside, not taken.",
        "SUCCEEDED": "The money was taken.",
        "FAILED": "Refused; `errorCode` says why. Another attempt may be made.",
        "CANCELLED": "The buyer gave up. Another attempt may be made.",
        "REFUNDED": "All of it went back.",
        "PARTIALLY_REFUNDED": "Some of it went back.",
        "FLAGGED": "What the gateway reports does not fit; staff will look at it.",
    },
)
strawberry.enum(models.RefundState, name="RefundStatus", description="Where a refund stands.")
describe_enum(
    models.RefundState,
    {
        "PENDING": "Decided; the gateway is asked, or at work.",
        "SUCCEEDED": "The gateway gave the money back.",
        "FAILED": "The gateway refused: the money has to go back by other means.",
        "REVIEW": "The gateway does not tell whether it gave the money back: staff look at it.",
    },
)
strawberry.enum(Scenario, name="SandboxScenario", description="How a payment at the sandbox gateway behaves.")
describe_enum(
    Scenario,
    {
        "APPROVE": "The buttons of the payment page decide.",
        "DECLINE": "Paying is declined.",
        "AUTHENTICATE": "Paying asks the buyer to authenticate first.",
        "START_TIMEOUT": "The first answer to `paymentStart` is lost, though the gateway has acted.",
        "WEBHOOK_TWICE": "The webhook comes twice.",
        "WEBHOOK_BEFORE_REDIRECT": "The webhook comes before the buyer is back.",
        "WEBHOOK_OUT_OF_ORDER": "An older webhook comes after the last one.",
        "WEBHOOK_LATE": "Only 20 minutes later is it known how it ended: the order has expired by then. Until then it "
        "is PROCESSING.",
        "WEBHOOK_BAD_SIGNATURE": "The webhook's signature is wrong, so it is not heard; as WEBHOOK_MISSING.",
        "WEBHOOK_MISSING": "No webhook comes; `paymentVerify` finds out, or the shop itself after some minutes.",
        "WRONG_AMOUNT": "The gateway reports another amount: the payment becomes FLAGGED.",
        "WRONG_CURRENCY": "The gateway reports another currency: the payment becomes FLAGGED.",
        "DISPUTE_WON": "The buyer's bank disputes the payment after two seconds; ten minutes later the shop has won.",
        "DISPUTE_LOST": "The buyer's bank disputes the payment after two seconds; ten minutes later the shop has lost.",
    },
)


@strawberry.type(description="Send the buyer to this address.")
class RedirectAction:
    url: str = strawberry.field(description="The gateway's payment page.")


@strawberry.type(description="Hand this to the gateway's own script in the browser.")
class ClientSecretAction:
    client_secret: str = strawberry.field(description="The secret of this payment, for the script.")
    publishable_key: str = strawberry.field(description="The shop's public key, for the script.")


PaymentAction = Annotated[
    RedirectAction | ClientSecretAction,
    strawberry.union("PaymentAction", description="What the buyer has to do next."),
]


@strawberry_django.type(
    models.Refund, name="Refund", field_cls=ColumnField, description="Money that goes back to the buyer."
)
class Refund(Node):
    reason: str = strawberry.field(description="Why.")
    created_at: datetime = strawberry.field(description="When it was decided, in UTC.")

    @computed(description="Where it stands.")
    def status(refund: Any) -> models.RefundState:
        return refund.state  # type: ignore[no-any-return]

    @computed(description="How much of it.")
    def amount(refund: Any) -> Money:
        return money(refund.amount, refund.currency)


@strawberry_django.type(
    models.Payment, name="Payment", field_cls=ColumnField, description="An attempt to pay an order at a gateway."
)
class Payment(Node):
    gateway: str = strawberry.field(description="The gateway's id.")
    created_at: datetime = strawberry.field(description="When it was begun, in UTC.")

    @computed(description="Where it stands.")
    def status(payment: Any) -> models.PaymentState:
        return payment.state  # type: ignore[no-any-return]

    @batched(description="When the money was taken, in UTC; null where it was not.")
    def captured_at(payments: list[Any]) -> list[datetime | None]:
        found = captured_at_by_payment([each.pk for each in payments])
        return [found.get(each.pk) for each in payments]

    @batched(description="What went back of it, or is about to, oldest first.")
    def refunds(payments: list[Any]) -> list[list[Refund]]:
        found = refunds_by_payment([each.pk for each in payments])
        return [found[each.pk] for each in payments]  # type: ignore[misc]

    @computed(
        description="How it was paid: CARD, WALLET, MOBILE, BANK, CASH, INSTALLMENTS or OTHER; null until it is known."
    )
    def method(payment: Any) -> str | None:
        return payment.method or None

    @computed(description="How much it is about.")
    def amount(payment: Any) -> Money:
        return money(payment.amount, payment.currency)

    @computed(
        description="Why it failed, to branch on; null where it did not. CARD_DECLINED, INSUFFICIENT_FUNDS, "
        "CARD_EXPIRED, CARD_INVALID, LIMIT_EXCEEDED, FRAUD_SUSPECTED, AUTHENTICATION_REQUIRED, "
        "AUTHENTICATION_FAILED and DECLINED: it was refused (FAILED). ABANDONED: the buyer closed the "
        "payment page, EXPIRED: it took too long (CANCELLED). INVALID_AMOUNT, CURRENCY_NOT_SUPPORTED, "
        "INVALID_REQUEST and MISCONFIGURED: the gateway cannot be used for this. MISMATCH: the "
        "gateway reports another amount, currency or payment (FLAGGED). New codes may be added: treat "
        "unknown ones as DECLINED."
    )
    def error_code(payment: Any) -> str | None:
        return payment.error_code or None

    @computed(description="Why it failed, as a sentence; null where it did not.")
    def error_message(payment: Any) -> str | None:
        return payment.error_message or None

    @computed(description="What the buyer has to do next; null when nothing.")
    def next_action(payment: Any) -> PaymentAction | None:
        action = payment.next_action
        if not action or payment.state != models.PaymentState.REQUIRES_ACTION:
            return None
        return payment_action(action)

    @batched(description="The order that it pays.")
    def order(payments: list[Any]) -> list[Order]:
        found = orders_by_id({each.order_id for each in payments})
        return [found[each.order_id] for each in payments]  # type: ignore[misc]


def payment_action(action: Mapping[str, str]) -> PaymentAction:
    if action["type"] == "REDIRECT":
        return RedirectAction(url=action["url"])
    return ClientSecretAction(client_secret=action["client_secret"], publishable_key=action["publishable_key"])


register("Payment", models.Payment)
register("Refund", models.Refund)
