"""Carts: what somebody means to buy. A cart holds no stock and freezes no price."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class CartStatus(models.TextChoices):
    OPEN = "OPEN"
    ORDERED = "ORDERED"
    MERGED = "MERGED"


EXPIRING = [CartStatus.OPEN, CartStatus.MERGED]


class Cart(models.Model):
    """Its id is unguessable and is a guest's only key to it.

    A guest's cart that was merged belongs to the customer since: either it became the open cart, or it is MERGED.
    `merge_outcomes` is then what happened to its lines (`backend.carts.merging`).
    `version` grows with every change. `expires_at` is 30 days after the last one. Addresses are snapshots with the
    keys of `backend.core.addresses`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="carts")
    status = models.CharField(max_length=20, choices=CartStatus, default=CartStatus.OPEN)
    currency = models.CharField(max_length=3)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    note = models.TextField(blank=True)
    shipping_address = models.JSONField(null=True, blank=True)
    billing_address = models.JSONField(null=True, blank=True)
    merge_outcomes = models.JSONField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=CartStatus.values), name="cart_status_known"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(status=CartStatus.OPEN), name="one_open_cart_per_customer"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="cart_expiry", condition=Q(status__in=EXPIRING))]

    def __str__(self) -> str:
        return str(self.pk)


class CartLine(models.Model):
    """Units of one variant. `seen_price` is the price (minor units) that the shopper last saw."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.ProductVariant", models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    seen_price = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="cart_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="cart_line_positive"),
        ]
