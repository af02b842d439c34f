"""Vendors and those who work for them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from backend.core.admin import ModelAdmin
from backend.vendors.models import Vendor, VendorMember
from backend.vendors.services import follow_members


class MemberInline(TabularInline):
    model = VendorMember
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Vendor)
class VendorAdmin(ModelAdmin):
    list_display = ("name", "slug", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MemberInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The role VENDOR follows who works here, and whether the vendor is approved."""
        before = set(form.instance.members.values_list("user_id", flat=True))
        super().save_related(request, form, formsets, change)
        follow_members(before.union(form.instance.members.values_list("user_id", flat=True)))
