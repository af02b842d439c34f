"""Stock to look at. It changes by services alone: each change has a reason."""

from django.contrib import admin

from backend.core.admin import ModelAdmin, ReadOnlyAdmin
from backend.inventory.models import Location, StockLevel, StockMovement


@admin.register(Location)
class LocationAdmin(ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    list_display = ("variant", "location", "on_hand", "reserved")
    list_select_related = ("variant", "location")
    list_filter = ("location",)
    search_fields = ("variant__sku",)


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    list_display = ("stock_level", "sku", "delta", "reason", "order", "created_at")
    list_select_related = ("stock_level__variant", "order")
    search_fields = ("stock_level__variant__sku", "order__number", "reason")
    ordering = ("-id",)

    @admin.display(description="SKU")
    def sku(self, movement: StockMovement) -> str:
        return movement.stock_level.variant.sku
