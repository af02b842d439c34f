"""Everything that is not GraphQL: the admin, webhooks, health, and the pages of development."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
