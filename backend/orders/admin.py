"""Orders with their lines and their story."""

from django.contrib import admin

from backend.core.admin import ReadOnlyAdmin, ReadOnlyInline, amount
from backend.orders.models import Order, OrderEvent, OrderLine


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ("product_name", "variant_name", "sku", "quantity", "unit_price", "discount", "tax", "total")


class EventInline(ReadOnlyInline):
    model = OrderEvent
    fields = ("sequence", "type", "message", "status", "payment_status", "occurred_at")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "status",
        "payment_status",
        "fulfillment_status",
        "email",
        amount("total", "Total"),
        amount("paid", "Paid"),
        "placed_at",
    )
    list_filter = ("status", "payment_status", "fulfillment_status", "currency")
    search_fields = ("number", "email", "lines__sku")
    date_hierarchy = "placed_at"
    ordering = ("-placed_at",)
    inlines = (LineInline, EventInline)
    exclude = ("token",)
