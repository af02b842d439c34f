"""Payments with their time line, the ledger, disputes, and gateways' messages as they came."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from backend.core.admin import ReadOnlyAdmin, ReadOnlyInline, amount
from backend.core.errors import DomainError
from backend.payments.admin_acts import CHOICES, act, caller_of
from backend.payments.models import (
    Dispute,
    Payment,
    PaymentState,
    PaymentTransaction,
    Refund,
    WebhookMessage,
)
from backend.payments.services import replay_webhook
from backend.payments.timeline import timeline_of

MONEY = amount("amount", "Amount")


class TransactionInline(ReadOnlyInline):
    model = PaymentTransaction
    fields = ("kind", MONEY, "gateway_id", "created_at")
    readonly_fields = (MONEY,)


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = (MONEY, "reason", "state", "reference", "error_message", "created_at")
    readonly_fields = (MONEY,)


class DisputeInline(ReadOnlyInline):
    model = Dispute
    fields = ("reference", "state", MONEY, "reason", "respond_by", "opened_at", "closed_at")
    readonly_fields = (MONEY,)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "order",
        "gateway",
        "account",
        "state",
        MONEY,
        "error_code",
        "created_at",
    )
    list_select_related = ("order",)
    list_filter = ("gateway", "account", "state", "held", "currency")
    search_fields = ("id", "reference", "capture_id", "order__number")
    ordering = ("-created_at",)
    readonly_fields = (MONEY, "decide", "timeline")
    fieldsets = (
        (None, {"fields": ("order", "state", MONEY, "decide", "timeline")}),
        ("At the gateway", {"fields": ("gateway", "account", "merchant_account", "reference", "capture_id", "data")}),
        ("Errors", {"fields": ("error_code", "error_message", "gateway_code", "held", "counted")}),
        (
            "As it was begun",
            {
                "fields": (
                    "attempt", "method", "manual_capture", "customer", "saved_method", "save_method",
                    "return_url", "next_action", "scenario", "created_at", "updated_at", "next_ask_at",
                )
            },
        ),
    )  # fmt: skip
    inlines = (TransactionInline, RefundInline, DisputeInline)

    def get_urls(self) -> list[Any]:
        own = path("<uuid:payment_id>/act/", self.admin_site.admin_view(self.act), name="payments_payment_act")
        return [own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """Who may not decide is offered no link to it."""
        found = super().get_fieldsets(request, obj)
        if caller_of(request).may("payments.change_payment"):
            return found
        return [
            (name, {**options, "fields": tuple(field for field in options["fields"] if field != "decide")})
            for name, options in found
        ]

    def act(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        return act(request, payment_id)

    @admin.display(description="Decide")
    def decide(self, payment: Payment) -> str:
        if PaymentState(payment.state) not in CHOICES:
            return "Nothing to decide."
        address = reverse("admin:payments_payment_act", args=[payment.pk])
        return format_html('<a href="{}">Decide about this payment</a>', address)

    @admin.display(description="Time line")
    def timeline(self, payment: Payment) -> str:
        rows = format_html_join(
            "",
            "<tr>" + 4 * '<td class="align-top pb-1 pr-4">{}</td>' + "</tr>",
            (
                (f"{moment.at:%Y-%m-%d %H:%M:%S}", moment.kind, moment.what, moment.detail)
                for moment in timeline_of(payment)
            ),
        )
        return format_html("<table><tbody>{}</tbody></table>", rows)


@admin.register(PaymentTransaction)
class PaymentTransactionAdmin(ReadOnlyAdmin):
    list_display = ("payment", "kind", MONEY, "gateway_id", "created_at")
    list_select_related = ("payment",)
    list_filter = ("kind", "currency")
    search_fields = ("gateway_id", "payment__id")
    ordering = ("-id",)


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("payment", "state", MONEY, "reason", "error_code", "created_at")
    list_select_related = ("payment",)
    list_filter = ("state", "currency")
    search_fields = ("id", "reference", "payment__id")
    ordering = ("-created_at",)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("payment", "state", MONEY, "reason", "respond_by", "opened_at", "closed_at")
    list_select_related = ("payment",)
    list_filter = ("state", "currency")
    search_fields = ("reference", "payment__id")
    ordering = ("-opened_at",)


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ReadOnlyAdmin):
    list_display = ("gateway", "account", "kind", "event_id", "state", "reason", "received_at", "processed_at")
    list_filter = ("gateway", "state")
    search_fields = ("event_id", "payment__id")
    ordering = ("-id",)
    fields = (
        "gateway",
        "account",
        "event_id",
        "kind",
        "state",
        "reason",
        "payment",
        "headers",
        "query",
        "text",
        "received_at",
        "processed_at",
    )
    readonly_fields = ("text",)
    actions = ("replay",)

    @admin.display(description="Body")
    def text(self, message: WebhookMessage) -> str:
        return bytes(message.body).decode(errors="replace")[:20_000]

    @admin.action(description="Settle once more", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: QuerySet[WebhookMessage]) -> None:
        for message_id in chosen.values_list("pk", flat=True):
            try:
                replay_webhook(caller=caller_of(request), message_id=message_id)
            except DomainError as error:
                messages.error(request, f"Message {message_id}: {error}")
            else:
                messages.success(request, f"Message {message_id} goes to the worker once more.")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return caller_of(request).may("payments.change_webhookmessage")
