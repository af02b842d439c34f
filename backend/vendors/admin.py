"""Vendors and those who work for them."""

from django.contrib import admin
from unfold.admin import TabularInline

from backend.core.admin import ModelAdmin
from backend.vendors.models import Vendor, VendorMember


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
