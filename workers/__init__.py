"""Background work. Importing any part of it sets Django up, because Dramatiq and periodiq load it by itself."""

import os

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
if not apps.ready:
    django.setup()
