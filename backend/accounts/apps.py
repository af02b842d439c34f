from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "backend.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.accounts import keys
        from backend.accounts.roles import grant_after_migrating
        from backend.core import sms

        keys.check()
        sms.check()
        # After django.contrib.auth's own receiver, which makes the permissions: it stands first in INSTALLED_APPS.
        post_migrate.connect(grant_after_migrating, dispatch_uid="backend.accounts.roles")
