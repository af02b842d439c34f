"""Emails that were sent."""

from django.contrib import admin

from backend.core.admin import ReadOnlyAdmin
from backend.notifications.models import SentEmail


@admin.register(SentEmail)
class SentEmailAdmin(ReadOnlyAdmin):
    list_display = ("subject", "recipient", "kind", "sent_at")
    search_fields = ("recipient", "subject")
    ordering = ("-id",)
