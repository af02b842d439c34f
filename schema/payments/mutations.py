"""Starting payments and asking how they went."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from backend.core.errors import DomainError
from backend.payments import models
from backend.payments.sandbox.scenarios import Scenario
from backend.payments.services import StartedPayment, start_payment, verify_payment
from backend.payments.services.starting import StartPayment
from schema.payments.types import Payment
from schema.server.context import Context
from schema.server.db import io
from schema.server.errors import UserError, user_errors
from schema.server.ids import decode_uuid


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
    scenario: Scenario | None = strawberry.field(
        default=None, description="Sandbox only: how the payment is to behave."
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
