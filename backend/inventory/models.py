"""Stock: how many units lie where, and which of them are held for orders."""

from django.db import models
from django.db.models import F, Q

from backend.core.models import TimestampedModel


class Location(models.Model):
    """A warehouse or shop that units lie in."""

    name = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.name


class StockLevel(models.Model):
    """Units of a variant at a location. Never below zero, never more reserved than there are."""

    variant = models.ForeignKey("catalog.ProductVariant", models.CASCADE, related_name="stock_levels")
    location = models.ForeignKey(Location, models.PROTECT, related_name="stock_levels")
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["variant", "location"], name="stock_level_once"),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="stock_on_hand_not_negative"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")), name="stock_reserved_within_on_hand"
            ),
        ]


class ReservationState(models.TextChoices):
    HELD = "HELD"
    SOLD = "SOLD"
    RELEASED = "RELEASED"


class Reservation(models.Model):
    """Units of one stock level that an order holds, has bought, or has given back.

    How long a hold lasts is the order's `payment_due_at`: said once, there.
    """

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="reservations")
    stock_level = models.ForeignKey(StockLevel, models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=ReservationState, default=ReservationState.HELD)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "stock_level"], name="reservation_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="reservation_positive"),
            models.CheckConstraint(condition=Q(state__in=ReservationState.values), name="reservation_state_known"),
        ]


class StockMovement(TimestampedModel):
    """The history of `on_hand`: append-only."""

    stock_level = models.ForeignKey(StockLevel, models.CASCADE, related_name="movements")
    delta = models.IntegerField()
    reason = models.CharField(max_length=200)
    order = models.ForeignKey("orders.Order", models.SET_NULL, null=True, related_name="stock_movements")

    class Meta:
        indexes = [models.Index(fields=["stock_level", "id"], name="movement_by_level")]
