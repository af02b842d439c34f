"""What the admin of every domain shares, and the outbox to look at."""

from collections.abc import Callable
from copy import copy
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import ForeignKey, Model
from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.safestring import mark_safe
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline

from backend.core.models import OutboxEvent
from backend.core.money import Money


class ModelAdmin(UnfoldModelAdmin):
    """Lists and pages. What a page shows of other rows is a link only for those who may see them there."""

    def changeform_view(self, request: HttpRequest, *args: Any, **given: Any) -> Any:
        own = copy(self)  # this object serves all requests, and what is a link differs between them
        own.readonly_preprocess_fields = _unlinked(self.model, self.admin_site, request)
        return super(ModelAdmin, own).changeform_view(request, *args, **given)

    def get_inline_instances(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        inlines: list[Any] = super().get_inline_instances(request, obj)
        for inline in inlines:
            inline.readonly_preprocess_fields = _unlinked(inline.model, self.admin_site, request)
        return inlines


def _unlinked(model: type[Model], site: AdminSite, request: HttpRequest) -> dict[str, Callable[[str], str]]:
    """Unfold's hook for what it shows of a column, for columns that name rows which this person may not see."""
    return {
        field.name: _as_text
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and not _may_view(field.related_model, site, request)
    }


def _may_view(model: Any, site: AdminSite, request: HttpRequest) -> bool:
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def _as_text(link: str) -> str:
    return mark_safe(strip_tags(link))  # noqa: S308 - what stands between the tags is escaped already


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
