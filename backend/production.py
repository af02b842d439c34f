"""Production starts only with what it needs, and without what is unsafe there."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import ImproperlyConfigured

from backend.environment import Env
from backend.payments.gateways.accounts import Account

REQUIRED = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL")


def refuse_unsafe(env: Env, *, on: Mapping[str, bool]) -> None:
    """Raise ImproperlyConfigured, in one sentence. `on` are switches of development, which must be off."""
    missing = [name for name in REQUIRED if not env.str(name, default="")]
    if missing:
        raise ImproperlyConfigured(f"Production needs these environment variables: {', '.join(missing)}.")
    enabled = [name for name, value in on.items() if value]
    if enabled:
        raise ImproperlyConfigured(f"Production refuses to start with {', '.join(enabled)} on.")
    key, hosts = env.str("SECRET_KEY"), env.list("ALLOWED_HOSTS")
    plain = env.str("PUBLIC_URL").lower().startswith("http:") and env.bool("SECURE_SSL_REDIRECT", default=True)
    for unsafe, sentence in (
        (len(key) < 50 or "insecure" in key, "SECRET_KEY must be secret and at least 50 characters long."),
        (len(set(key)) < 10, "SECRET_KEY must be random: it has fewer than 10 different characters."),
        (not hosts, "ALLOWED_HOSTS must name the shop's hosts; it names none."),
        ("*" in hosts, "ALLOWED_HOSTS must name the shop's hosts; * admits any."),
        (plain, "PUBLIC_URL must be https://, unless SECURE_SSL_REDIRECT=0 says that plain HTTP is meant."),
    ):
        if unsafe:
            raise ImproperlyConfigured(sentence)


def refuse_plain_gateways(accounts: Iterable[Account]) -> None:
    """Keys and money go by https alone, which no gateway's double speaks. Raises ImproperlyConfigured."""
    for account in accounts:
        plain = [name for name, value in account.values if name.endswith("_url") and not value.startswith("https://")]
        if plain:
            name = f"{account.gateway}_{plain[0]}".upper()
            raise ImproperlyConfigured(f"Production speaks with gateways by https:// alone: see {name}.")
