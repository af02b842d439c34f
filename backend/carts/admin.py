"""Carts to look at."""

from django.contrib import admin

from backend.carts.models import Cart, CartLine
from backend.core.admin import ReadOnlyAdmin, ReadOnlyInline


class LineInline(ReadOnlyInline):
    model = CartLine
    fields = ("variant", "quantity", "seen_price")


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    list_display = ("id", "status", "currency", "email", "customer", "updated_at", "expires_at")
    list_select_related = ("customer",)
    list_filter = ("status", "currency")
    search_fields = ("id", "email")
    ordering = ("-updated_at",)
    inlines = (LineInline,)
