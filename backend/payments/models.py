"""Payments: attempts, the append-only ledger of money movements, and gateway messages as they came."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class PaymentState(models.TextChoices):
    """Where one attempt stands. Derived from its transactions once money has moved."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    AUTHORIZED = "AUTHORIZED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    FLAGGED = "FLAGGED"


OPEN_STATES = (PaymentState.PENDING, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING)
WAITING_STATES = (*OPEN_STATES, PaymentState.AUTHORIZED)
"""The sweep asks about these: an authorization lapses without a word."""


class Payment(models.Model):
    """One attempt to pay an order at one gateway. `amount` in minor units of `currency`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="payments")
    gateway = models.CharField(max_length=30)
    account = models.CharField(max_length=30, default="default", help_text="Which of the gateway's accounts.")
    merchant_account = models.CharField(
        max_length=100, blank=True, help_text="Who gets the money, as the gateway names it; empty where it does not."
    )
    attempt = models.PositiveIntegerField(default=1, help_text="The order's how manieth payment.")
    state = models.CharField(max_length=30, choices=PaymentState, default=PaymentState.PENDING)
    method = models.CharField(max_length=30, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=255, blank=True, help_text="The gateway's own id.")
    capture_id = models.CharField(max_length=255, blank=True, help_text="The gateway's id of the money that it took.")
    data = models.JSONField(default=dict, blank=True, help_text="What the gateway's later calls need. No secrets.")
    manual_capture = models.BooleanField(default=False, help_text="Staff take the money that was set aside.")
    counted = models.BooleanField(default=True, help_text="Off when staff gave back what never fitted the order.")
    held = models.BooleanField(default=False, help_text="Paid, but the gateway doubts it: staff decide.")
    return_url = models.URLField(max_length=2000)
    next_action = models.JSONField(null=True, blank=True)
    scenario = models.CharField(max_length=40, blank=True, help_text="Sandbox only: the scripted behavior.")
    customer = models.CharField(max_length=255, blank=True, help_text="The buyer as the gateway knows them.")
    saved_method = models.CharField(max_length=255, blank=True, help_text="What the buyer pays with again.")
    save_method = models.BooleanField(default=False, help_text="Whether the gateway keeps the way to pay.")
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    gateway_code = models.CharField(max_length=100, blank=True, help_text="The gateway's own word for the error.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    next_ask_at = models.DateTimeField(
        null=True, help_text="When the sweep asks the gateway, if the payment is open still; empty for never again."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="payment_positive"),
            models.CheckConstraint(condition=Q(state__in=PaymentState.values), name="payment_state_known"),
            models.UniqueConstraint(
                fields=["gateway", "account", "reference"], condition=~Q(reference=""), name="payment_reference_once"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "created_at"], name="payment_by_order"),
            models.Index(fields=["gateway", "capture_id"], name="payment_by_capture", condition=~Q(capture_id="")),
            models.Index(
                fields=["next_ask_at", "id"],
                name="payment_to_ask",
                condition=Q(state__in=[state.value for state in WAITING_STATES]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.reference or self.pk}"


class TransactionKind(models.TextChoices):
    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    REFUND_REVERSAL = "REFUND_REVERSAL"
    """A refund that the gateway told as made, and took back."""
    VOID = "VOID"
    FEE = "FEE"
    CHARGEBACK = "CHARGEBACK"
    CHARGEBACK_REVERSAL = "CHARGEBACK_REVERSAL"


class PaymentTransaction(models.Model):
    """A movement of money that the gateway has confirmed. Append-only: the database refuses changes."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=20, choices=TransactionKind)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    gateway_id = models.CharField(max_length=255)
    excerpt = models.JSONField(default=dict, blank=True, help_text="What the gateway said, in part. No secrets.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="transaction_positive"),
            models.CheckConstraint(condition=Q(kind__in=TransactionKind.values), name="transaction_kind_known"),
            models.UniqueConstraint(fields=["payment", "kind", "gateway_id"], name="transaction_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.gateway_id}"


class RefundState(models.TextChoices):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REVIEW = "REVIEW"
    """Nobody can tell whether it was made: a person has to look at the gateway."""


class Refund(models.Model):
    """Money to give back for a payment. Its id is the gateway's idempotency key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=RefundState, default=RefundState.PENDING)
    reference = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    gateway_code = models.CharField(max_length=100, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    next_ask_at = models.DateTimeField(null=True, help_text="When the sweep tries again, if it is pending still.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="refund_positive"),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_known"),
        ]
        indexes = [
            models.Index(fields=["next_ask_at", "id"], name="refund_to_ask", condition=Q(state=RefundState.PENDING))
        ]

    def __str__(self) -> str:
        return f"Refund {self.reference or self.pk}"


class WebhookState(models.TextChoices):
    RECEIVED = "RECEIVED"
    REJECTED = "REJECTED"
    VERIFIED = "VERIFIED"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    """Authentic, but a worker gave up on it: staff can replay it."""


class WebhookMessage(models.Model):
    """A gateway's message, stored raw before anything else is done with it.

    Unique by gateway and event id among the messages whose signature held: a forged one cannot take the place of
    the true one.
    """

    gateway = models.CharField(max_length=30)
    account = models.CharField(max_length=30, default="default")
    event_id = models.CharField(max_length=255, blank=True)
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    kind = models.CharField(max_length=100, blank=True, help_text="The gateway's name for the event.")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="messages")
    state = models.CharField(max_length=20, choices=WebhookState, default=WebhookState.RECEIVED)
    reason = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "account", "event_id"],
                condition=Q(state__in=[WebhookState.VERIFIED, WebhookState.PROCESSED, WebhookState.FAILED]),
                name="webhook_event_once",
            ),
            models.CheckConstraint(condition=Q(state__in=WebhookState.values), name="webhook_state_known"),
        ]
        indexes = [models.Index(fields=["received_at"], name="webhook_received")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id or self.pk}"


class Operation(models.TextChoices):
    START = "START"
    VERIFY = "VERIFY"
    CAPTURE = "CAPTURE"
    CANCEL = "CANCEL"
    REFUND = "REFUND"
    FIND_REFUND = "FIND_REFUND"


class Outcome(models.TextChoices):
    ASKED = "ASKED"
    """No answer is recorded: the call is running, or the process died with it."""
    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"
    UNAVAILABLE = "UNAVAILABLE"


class GatewayCall(models.Model):
    """One question to a gateway: written before it is asked, completed after."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="calls")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="calls")
    operation = models.CharField(max_length=20, choices=Operation)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.ASKED)
    error_code = models.CharField(max_length=60, blank=True)
    gateway_code = models.CharField(max_length=100, blank=True)
    message = models.CharField(max_length=500, blank=True)
    excerpt = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(operation__in=Operation.values), name="call_operation_known"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="call_outcome_known"),
        ]
        indexes = [models.Index(fields=["payment", "started_at"], name="call_by_payment")]


class PaymentTransition(models.Model):
    """A step of a payment's state, and why."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="transitions")
    before = models.CharField(max_length=30)
    after = models.CharField(max_length=30)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["payment", "at"], name="transition_by_payment")]


class DisputeStatus(models.TextChoices):
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class Dispute(models.Model):
    """A buyer's bank wants the money back. What it took stands in the ledger as CHARGEBACK."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    reference = models.CharField(max_length=255, help_text="The gateway's own id.")
    state = models.CharField(max_length=20, choices=DisputeStatus)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True)
    respond_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "reference"], name="dispute_once"),
            models.CheckConstraint(condition=Q(state__in=DisputeStatus.values), name="dispute_state_known"),
        ]

    def __str__(self) -> str:
        return f"Dispute {self.reference}"


class GatewayCustomer(models.Model):
    """A customer as a gateway knows them, so that it can keep their ways to pay."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    gateway = models.CharField(max_length=30)
    account = models.CharField(max_length=30, default="default")
    reference = models.CharField(max_length=255, help_text="The gateway's own id.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "gateway", "account"], name="gateway_customer_once"),
        ]


class SandboxCharge(models.Model):
    """The sandbox gateway's own record of a payment: what a real gateway keeps on its side."""

    id = models.CharField(primary_key=True, max_length=60)
    merchant_reference = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200, blank=True)
    return_url = models.URLField(max_length=2300, help_text="The longest that a storefront may send, and our ids.")
    scenario = models.CharField(max_length=40)
    state = models.CharField(max_length=30)
    manual_capture = models.BooleanField(default=False)
    captured = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, help_text="When the buyer decided.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=1), name="sandbox_charge_positive"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=models.F("amount")),
                name="sandbox_refund_within_charge",
            ),
        ]


class SandboxRefund(models.Model):
    """The sandbox gateway's own record of a refund; the merchant's key makes it happen once."""

    id = models.CharField(primary_key=True, max_length=60)
    charge = models.ForeignKey(SandboxCharge, models.PROTECT, related_name="refunds")
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField()
