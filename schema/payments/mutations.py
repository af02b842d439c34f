"""Starting payments and asking how they went."""

from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from backend.core.errors import DomainError
from backend.orders.queries import orders_by_id
from backend.payments import models
from backend.payments.sandbox.scenarios import Scenario
from backend.payments.services import StartedPayment, refund_order, start_payment, verify_payment
from backend.payments.services.starting import StartPayment
from schema.orders.types import Order
from schema.payments.types import Payment, Refund
from schema.server.context import Context
from schema.server.db import db, io
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_uuid
from schema.server.money import MoneyInput, sent_money
from schema.server.permissions import HasPermission, guard


@strawberry.input(description="A payment to begin.")
class PaymentStartInput:
    order_id: strawberry.ID = strawberry.field(description="The order to pay.")
    order_token: str | None = strawberry.field(default=None, description="The order's token, for guests.")
    gateway: str = strawberry.field(description="The gateway's id, from `shop.paymentGateways`.")
    return_url: str = strawberry.field(
        description="Where the buyer comes back to: an absolute http(s) address. Added to its query are `payment` (the "
        "payment's id, for `paymentVerify`), `order` (the order's id) and `status`, which is never to be believed."
    )
    idempotency_key: str = strawberry.field(
        description="A key that you make up for this attempt. Send the same one when you repeat the request; make "
        "a new one for another attempt."
    )
    amount: MoneyInput | None = strawberry.field(
        default=None,
        description="A part of what is due, to pay the rest by another payment, at any gateway; all of it by default.",
    )
    save_method: bool = strawberry.field(
        default=False, description="Signed in only: whether the gateway keeps what you pay with, to pay with it again."
    )
    saved_method_id: strawberry.ID | None = strawberry.field(
        default=None, description="Signed in only: one of `paymentMethods`, to pay with it again."
    )
    scenario: Scenario | None = strawberry.field(
        default=None, description="Sandbox only: how the payment is to behave."
    )


@strawberry.input(description="Money to give back.")
class RefundCreateInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    amount: MoneyInput | None = strawberry.field(
        default=None, description="How much, in the order's currency; all that is left of it by default."
    )
    reason: str = strawberry.field(description="Why, for staff: up to 200 characters in one line.")
    restock: bool = strawberry.field(
        default=False,
        description=(
            "Whether all units of the order go back on the shelves. An amount does not say which goods came back: "
            "only where nothing is left to give back of the money."
        ),
    )
    idempotency_key: str = strawberry.field(
        description="A key that you make up for this refund. Send the same one when you repeat the request."
    )


@strawberry.input(description="A payment to ask the gateway about.")
class PaymentVerifyInput:
    payment_id: strawberry.ID = strawberry.field(description="The payment's id.")
    order_token: str | None = strawberry.field(default=None, description="The order's token, for guests.")


@strawberry.type(description="The payment, or why it was not begun.")
class PaymentStartPayload:
    payment: Payment | None = strawberry.field(default=None, description="The payment; null when it was refused.")
    replayed: bool = strawberry.field(
        default=False, description="Whether your idempotency key brought back the payment of an earlier request."
    )
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type(description="The payment as the gateway sees it now.")
class PaymentVerifyPayload:
    payment: Payment | None = strawberry.field(default=None, description="The payment; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type(description="What goes back, or why nothing does.")
class RefundCreatePayload:
    refund: Refund | None = strawberry.field(
        default=None, description="The refund, or the largest where several payments give back; null when refused."
    )
    refunds: list[Refund] = strawberry.field(
        default_factory=list, description="Every refund that it takes, one for each payment, the largest first."
    )
    order: Order | None = strawberry.field(default=None, description="The order; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when all went well."
    )


@strawberry.type
class PaymentMutation:
    @strawberry.mutation(description="Begin to pay what is due on an order. `payment.nextAction` says how it goes on.")
    async def payment_start(
        self, info: Info, input: Annotated[PaymentStartInput, strawberry.argument(description="The payment.")]
    ) -> PaymentStartPayload:
        context: Context = info.context

        def start() -> StartedPayment:
            request = StartPayment(
                order_id=decode_uuid(input.order_id, "Order", field=["orderId"]),
                token=input.order_token,
                gateway=input.gateway,
                return_url=input.return_url,
                idempotency_key=input.idempotency_key,
                scenario=input.scenario.value if input.scenario else "",
                amount=sent_money(input.amount, field=["amount"]),
                saved_method=str(input.saved_method_id or ""),
                save_method=input.save_method,
            )
            return start_payment(caller=context.caller, request=request)

        try:
            started = await io(start)
        except DomainError as error:
            return PaymentStartPayload(user_errors=user_errors(error))
        return PaymentStartPayload(payment=started.payment, replayed=started.replayed)  # type: ignore[arg-type]

    @strawberry.mutation(
        description="Ask the gateway how a payment went, and settle the order accordingly: when the buyer is back."
    )
    async def payment_verify(
        self, info: Info, input: Annotated[PaymentVerifyInput, strawberry.argument(description="The payment.")]
    ) -> PaymentVerifyPayload:
        context: Context = info.context

        def verify() -> models.Payment:
            payment_id = decode_uuid(input.payment_id, "Payment", field=["paymentId"])
            return verify_payment(caller=context.caller, payment_id=payment_id, token=input.order_token)

        try:
            return PaymentVerifyPayload(payment=await io(verify))  # type: ignore[arg-type]
        except DomainError as error:
            return PaymentVerifyPayload(user_errors=user_errors(error))

    @strawberry.mutation(
        description="Give money of an order back to the buyer. It is decided at once and carried out soon after: "
        "follow `refund.status`. The same key decides once.",
        extensions=[guard(HasPermission("payments.add_refund"))],
    )
    async def refund_create(
        self, info: Info, input: Annotated[RefundCreateInput, strawberry.argument(description="The refund.")]
    ) -> RefundCreatePayload:
        context: Context = info.context

        def create() -> tuple[list[models.Refund], Any]:
            refunds = refund_order(
                caller=context.caller,
                order_id=decode_uuid(input.order_id, "Order", field=["orderId"]),
                amount=sent_money(input.amount, field=["amount"]),
                reason=input.reason,
                restock=input.restock,
                idempotency_key=input.idempotency_key,
            )
            order_id = refunds[0].payment.order_id
            return refunds, orders_by_id([order_id])[order_id]

        try:
            refunds, order = await db(create)
        except DomainError as error:
            return RefundCreatePayload(user_errors=user_errors(error))
        return RefundCreatePayload(refund=refunds[0], refunds=refunds, order=order)  # type: ignore[arg-type]
