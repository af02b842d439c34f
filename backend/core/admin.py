"""What the admin of every domain shares, and the outbox to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from backend.core.models import OutboxEvent
from backend.core.money import Money


class ReadOnly:
    """Rows that services write: staff look at them, nobody changes them here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A list and pages without a save button."""


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0


def amount(column: str, label: str) -> Any:
    """A list column that writes minor units of the row's currency as money."""

    @admin.display(description=label, ordering=column)
    def written(row: Any) -> str:
        return Money(getattr(row, column), row.currency).format("en")

    written.__name__ = f"{column}_written"
    return written


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    list_display = ("topic", "key", "created_at", "available_at", "relayed_at")
    list_filter = ("topic",)
    search_fields = ("key", "topic")
    ordering = ("-id",)
