"""Everything that is not GraphQL: the admin, webhooks, payment pages, health, and the pages of development."""

from django.contrib import admin
from django.urls import path

from backend.accounts.views import public_keys
from backend.catalog.views import media
from backend.core import views
from backend.payments import returning, webhooks
from backend.payments.sandbox import pages

urlpatterns = [
    path(".well-known/jwks.json", public_keys),
    path("", views.home, name="home"),
    path("admin/", admin.site.urls),
    path("dev/clock/", views.test_clock, name="test-clock"),
    path("dev/mail/", views.mailbox, name="mailbox"),
    path("dev/mail/<str:name>/", views.mail, name="mail"),
    path("dev/mail/<str:name>/html/", views.mail_html, name="mail-html"),
    path("healthz", views.health, name="health"),
    path("media/<path:path>", media, name="media"),
    path("payments/return/<slug:gateway_id>/<uuid:payment_id>/", returning.receive, name="payment-return"),
    path("sandbox/pay/<slug:charge_id>/", pages.pay, name="sandbox-pay"),
    path("webhooks/<slug:gateway_id>/", webhooks.receive, name="webhook"),
    path("webhooks/<slug:gateway_id>/<slug:account>/", webhooks.receive, name="webhook-of-account"),
]
