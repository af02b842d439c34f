"""Orders: what was bought, frozen as it was when it was placed, and everything that happened since."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, CharField, F, Func, Q, Value, When
from django.db.models.functions import Cast, Concat, Lower


class OrderStatus(models.TextChoices):
    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID = "PAID"
    PROCESSING = "PROCESSING"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class PaymentStatus(models.TextChoices):
    UNPAID = "UNPAID"
    AUTHORIZED = "AUTHORIZED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"


class FulfillmentStatus(models.TextChoices):
    UNFULFILLED = "UNFULFILLED"
    PARTIALLY_FULFILLED = "PARTIALLY_FULFILLED"
    FULFILLED = "FULFILLED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"


def new_token() -> str:
    """A guest's key to an order: 256 random bits."""
    return secrets.token_urlsafe(32)


class NextOrderNumber(Func):
    """`nextval` of the order number sequence: unique and rising, with holes where a placement rolled back."""

    template = "nextval('orders_order_number')"
    output_field = models.BigIntegerField()
    arity = 0


class Order(models.Model):
    """Amounts in minor units of `currency`. `total = subtotal - discount + shipping (+ tax where not included)`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(
        max_length=30,
        unique=True,
        editable=False,
        db_default=Concat(Value("CG-"), Cast(NextOrderNumber(), CharField())),
    )
    token = models.CharField(max_length=64, default=new_token, editable=False)
    status = models.CharField(max_length=20, choices=OrderStatus, default=OrderStatus.PENDING_PAYMENT)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.UNPAID)
    fulfillment_status = models.CharField(
        max_length=20, choices=FulfillmentStatus, default=FulfillmentStatus.UNFULFILLED
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    cart = models.OneToOneField("carts.Cart", models.SET_NULL, null=True, blank=True, related_name="order")
    email = models.EmailField()
    phone = models.CharField(max_length=32, blank=True)
    note = models.TextField(blank=True)
    language = models.CharField(max_length=10)
    currency = models.CharField(max_length=3)
    shipping_address = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    prices_include_tax = models.BooleanField(default=False)
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    shipping = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    paid = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    placed_at = models.DateTimeField()
    payment_due_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_sequence = models.PositiveIntegerField(default=0, help_text="The sequence of the newest event.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_known"),
            models.CheckConstraint(
                condition=Q(payment_status__in=PaymentStatus.values), name="order_payment_status_known"
            ),
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, discount__gte=0, shipping__gte=0, tax__gte=0, total__gte=0),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    total=F("subtotal")
                    - F("discount")
                    + F("shipping")
                    + Case(When(prices_include_tax=True, then=Value(0, models.BigIntegerField())), default=F("tax"))
                ),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(paid__gte=0, refunded__gte=0, refunded__lte=F("paid")),
                name="order_refunds_within_paid",
            ),
        ]
        indexes = [
            models.Index(
                fields=["payment_due_at"],
                name="order_unpaid_due",
                condition=Q(status=OrderStatus.PENDING_PAYMENT),
            ),
            models.Index(fields=["customer", "placed_at", "id"], name="order_by_customer"),
            models.Index(fields=["placed_at", "id"], name="order_newest"),
            models.Index(Lower("email"), name="order_guest_email", condition=Q(customer__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One variant as it was sold. `total = unit_price x quantity - discount`, in minor units."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.ProductVariant", models.SET_NULL, null=True, related_name="+")
    vendor = models.ForeignKey("vendors.Vendor", models.SET_NULL, null=True, related_name="+")
    product_name = models.CharField(max_length=255)
    variant_name = models.CharField(max_length=255, blank=True)
    sku = models.CharField(max_length=100)
    image = models.ForeignKey("catalog.ProductImage", models.SET_NULL, null=True, related_name="+")
    quantity = models.BigIntegerField()
    unit_price = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_positive"),
            models.CheckConstraint(
                condition=Q(total=F("unit_price") * F("quantity") - F("discount"), total__gte=0),
                name="order_line_total_adds_up",
            ),
        ]


class OrderEventType(models.TextChoices):
    PLACED = "PLACED"
    PAYMENT_STARTED = "PAYMENT_STARTED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    PAYMENT_AUTHORIZED = "PAYMENT_AUTHORIZED"
    PAID = "PAID"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    PAYMENT_FLAGGED = "PAYMENT_FLAGGED"


class OrderEvent(models.Model):
    """One thing that happened to an order. Sequences of an order start at 1 and have no holes."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    type = models.CharField(max_length=30, choices=OrderEventType)
    message = models.CharField(max_length=500)
    status = models.CharField(max_length=20, choices=OrderStatus)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus)
    fulfillment_status = models.CharField(max_length=20, choices=FulfillmentStatus)
    occurred_at = models.DateTimeField()

    class Meta:
        ordering = ["order", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["order", "sequence"], name="order_event_sequence_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="order_event_sequence_positive"),
        ]
