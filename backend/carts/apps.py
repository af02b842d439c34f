from django.apps import AppConfig


class CartsConfig(AppConfig):
    name = "backend.carts"
    label = "carts"
    default_auto_field = "django.db.models.BigAutoField"
