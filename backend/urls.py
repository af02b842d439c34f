"""Everything that is not GraphQL: the admin, webhooks, payment pages, health, and the pages of development."""

from django.contrib import admin
from django.urls import path

from backend.payments import webhooks
from backend.payments.sandbox import pages

urlpatterns = [
    path("admin/", admin.site.urls),
    path("webhooks/<slug:gateway_id>/", webhooks.receive, name="webhook"),
    path("sandbox/pay/<slug:charge_id>/", pages.pay, name="sandbox-pay"),
]
