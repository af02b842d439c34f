"""Payments, their ledger, and gateways' messages as they came."""

from django.contrib import admin

from backend.core.admin import ReadOnlyAdmin, ReadOnlyInline, amount
from backend.payments.models import Payment, PaymentTransaction, Refund, WebhookMessage


class TransactionInline(ReadOnlyInline):
    model = PaymentTransaction


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("amount", "currency", "reason", "state", "reference", "error_message", "created_at")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("id", "order", "gateway", "state", amount("amount", "Amount"), "error_code", "created_at")
    list_select_related = ("order",)
    list_filter = ("gateway", "state", "currency")
    search_fields = ("id", "reference", "order__number")
    ordering = ("-created_at",)
    inlines = (TransactionInline, RefundInline)


@admin.register(PaymentTransaction)
class PaymentTransactionAdmin(ReadOnlyAdmin):
    list_display = ("payment", "kind", amount("amount", "Amount"), "gateway_id", "created_at")
    list_select_related = ("payment",)
    list_filter = ("kind", "currency")
    search_fields = ("gateway_id", "payment__id")
    ordering = ("-id",)


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "event_id", "state", "reason", "received_at", "processed_at")
    list_filter = ("gateway", "state")
    search_fields = ("event_id",)
    ordering = ("-id",)
    fields = ("gateway", "event_id", "state", "reason", "headers", "text", "received_at", "processed_at")
    readonly_fields = ("text",)

    @admin.display(description="Body")
    def text(self, message: WebhookMessage) -> str:
        return bytes(message.body).decode(errors="replace")[:20_000]
