"""Every setting of the shop, read once from the environment.

Development is safe to open and needs no variable at all. Production (`ENVIRONMENT=production`) refuses to
start when something is missing or unsafe. `.env.example` explains each variable.
"""

import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

from babel import Locale
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from backend.accounts.jwt_handlers import JWT_HANDLERS
from backend.environment import Env, check_providers
from backend.payments.gateways.accounts import Account
from backend.payments.gateways.variables import read_gateways
from backend.production import refuse_plain_gateways, refuse_unsafe

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(BASE_DIR / ".env")

ENVIRONMENT: str = env.str("ENVIRONMENT", default="development")
if ENVIRONMENT not in {"development", "production", "test"}:
    raise ImproperlyConfigured(f"ENVIRONMENT is development, production or test, not {ENVIRONMENT!r}.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG: bool = env.bool("DEBUG", default=ENVIRONMENT == "development")
TEST_CLOCK: bool = env.bool("TEST_CLOCK", default=ENVIRONMENT == "test")
SANDBOX_GATEWAY: bool = env.bool("SANDBOX_GATEWAY", default=not PRODUCTION)
if PRODUCTION:
    switches = {"DEBUG": DEBUG, "TEST_CLOCK": TEST_CLOCK, "SANDBOX_GATEWAY": SANDBOX_GATEWAY}
    refuse_unsafe(env, on={**switches, "GATEWAY_DOUBLES": env.bool("GATEWAY_DOUBLES", default=False)})

# Addresses and folders -----------------------------------------------------------------------------
PORT: int = env.int("PORT", default=8000)
PUBLIC_URL: str = env.str("PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
DATA_DIR = Path(os.path.expanduser(env.str("DATA_DIR", default=str(BASE_DIR / ".local")))).absolute()

# Django --------------------------------------------------------------------------------------------
SECRET_KEY: str = env.str("SECRET_KEY", default="insecure-development-key-never-used-in-production-0000000")
# Former keys, with which what they signed is still read.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["*"])
ROOT_URLCONF = "backend.urls"
ASGI_APPLICATION = "schema.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "treebeard",
    "graphql_jwt.refresh_token",
    "social_django",
    "django_otp",
    "backend.core",
    "backend.accounts",
    "backend.vendors",
    "backend.catalog",
    "backend.inventory",
    "backend.carts",
    "backend.orders",
    "backend.payments",
    "backend.notifications",
    "backend.transfer",
    "schema",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Stores --------------------------------------------------------------------------------------------
# Commands that need no store (printing the schema, checks) run without these; others are given
# the embedded engines' addresses by backend.local before the settings load.
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://unset:unset@127.0.0.1:1/unset")}
DATABASES["default"].update(
    CONN_MAX_AGE=0,  # Django's own requests run in short-lived threads; the pool keeps its connections itself
    DISABLE_SERVER_SIDE_CURSORS=True,
)
PREPARED_STATEMENTS: bool = env.bool("PREPARED_STATEMENTS", default=True)
DB_POOL_SIZE: int = env.int("DB_POOL_SIZE", default=8)
REDIS_URL: str = env.str("REDIS_URL", default="redis://127.0.0.1:1/0")
BROKER_URL: str = env.str("BROKER_URL", default=REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cartograph",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 24 * 60 * 60  # seconds

# Languages, time, money ----------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
SHOP_NAME: str = env.str("SHOP_NAME", default="Cartograph")
UNFOLD = {  # the admin
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "LOGIN": {"form": "backend.accounts.admin_login.LoginForm"},
    "STYLES": [lambda _: static("core/admin.css")],
}
DEFAULT_LANGUAGE: str = env.str("DEFAULT_LANGUAGE", default="en")
DEFAULT_CURRENCY: str = env.str("DEFAULT_CURRENCY", default="USD")
DEFAULT_COUNTRY: str = env.str("DEFAULT_COUNTRY", default="US")
LANGUAGES_OFFERED: list[str] = env.list("LANGUAGES_OFFERED", default=["en", "de"])
CURRENCIES_OFFERED: list[str] = env.list("CURRENCIES_OFFERED", default=["USD", "EUR"])
# ISO 3166 alpha-2 codes that orders may be shipped to; empty means everywhere.
COUNTRIES_OFFERED: list[str] = env.list("COUNTRIES_OFFERED", default=[])
for default, value, offered in (
    ("DEFAULT_LANGUAGE", DEFAULT_LANGUAGE, LANGUAGES_OFFERED),
    ("DEFAULT_CURRENCY", DEFAULT_CURRENCY, CURRENCIES_OFFERED),
):
    if value not in offered:
        raise ImproperlyConfigured(f"{default} is {value}, which is none of those offered: {', '.join(offered)}.")
LANGUAGES = [(code, Locale.parse(code).english_name) for code in LANGUAGES_OFFERED]

# The shop's rules ----------------------------------------------------------------------------------
RESERVATION_MINUTES: int = env.int("RESERVATION_MINUTES", default=15)
CART_DAYS: int = env.int("CART_DAYS", default=30)
CART_MAX_LINES: int = env.int("CART_MAX_LINES", default=200)
LINE_MAX_QUANTITY: int = env.int("LINE_MAX_QUANTITY", default=999)
LOW_STOCK: int = env.int("LOW_STOCK", default=5)

# GraphQL -------------------------------------------------------------------------------------------
ENGINE: bool = env.bool("ENGINE", default=True)
GRAPHQL_MAX_BODY_BYTES: int = env.int("GRAPHQL_MAX_BODY_BYTES", default=1_000_000)
GRAPHQL_MAX_TOKENS: int = env.int("GRAPHQL_MAX_TOKENS", default=5_000)
GRAPHQL_MAX_DEPTH: int = env.int("GRAPHQL_MAX_DEPTH", default=15)
GRAPHQL_MAX_ROOT_FIELDS: int = env.int("GRAPHQL_MAX_ROOT_FIELDS", default=30)
GRAPHQL_MAX_DOCUMENT_BYTES: int = env.int("GRAPHQL_MAX_DOCUMENT_BYTES", default=100_000)
# Which documents run (docs/persisted-operations.md).
DOCUMENTS_MODE: str = env.str("DOCUMENTS_MODE", default="open")
if DOCUMENTS_MODE not in {"open", "prefer", "only"}:
    raise ImproperlyConfigured(f"DOCUMENTS_MODE is open, prefer or only, not {DOCUMENTS_MODE!r}.")
DOCUMENTS_KEPT_BYTES: int = env.int("DOCUMENTS_KEPT_BYTES", default=64_000_000)
PERSISTED_QUERY_DAYS: int = env.int("PERSISTED_QUERY_DAYS", default=7)
# How many operations a minute, by who asks; who is not named may run any number.
_RATES: list[str] = env.list("OPERATIONS_PER_MINUTE", default=[])
OPERATIONS_PER_MINUTE: dict[str, int] = {name: int(count) for name, count in (each.split("=") for each in _RATES)}
SQL_HEADER: bool = env.bool("SQL_HEADER", default=False)

# Background work -----------------------------------------------------------------------------------
WORKER_THREADS: int = env.int("WORKER_THREADS", default=4)  # the Procfile's; read here to refuse what cannot work
OUTBOX_NUDGE = "workers.outbox_relay.nudge"
SCHEDULE = [
    "backend.core.schedule.DELETE_RELAYED_EVENTS",
    "backend.accounts.schedule.DELETE_OLD_SESSIONS",
    "backend.accounts.schedule.DELETE_OLD_CHALLENGES",
    "backend.accounts.schedule.DELETE_OLD_STARTS",
    "backend.carts.schedule.DELETE_EXPIRED_CARTS",
    "backend.orders.schedule.EXPIRE_UNPAID_ORDERS",
    "backend.orders.schedule.FORGET_DEPARTED",
    "backend.payments.schedule.VERIFY_SILENT_PAYMENTS",
    "backend.payments.schedule.VERIFY_UNCLAIMED_PAYMENTS",
    "backend.payments.schedule.DELETE_REJECTED_MESSAGES",
]

# What is known of a person: handed out to them, and erased when they leave, in this order.
PERSONAL_DATA = [
    "backend.notifications.personal.MAILS",
    "backend.payments.personal.PAYMENTS",
    "backend.orders.personal.ORDERS",
    "backend.carts.personal.CARTS",
    "backend.vendors.personal.VENDORS",
    "backend.accounts.personal.ACCOUNT",
]

# Payments ------------------------------------------------------------------------------------------
# Where the sandbox gateway sends its webhooks: this shop, as seen from its own machine.
SANDBOX_WEBHOOK_URL: str = env.str("SANDBOX_WEBHOOK_URL", default=f"http://127.0.0.1:{PORT}")
SANDBOX_WEBHOOK_SECRET: str = env.str("SANDBOX_WEBHOOK_SECRET", default="sandbox-webhook-secret")
# Origins that a payment may return the buyer to; empty in development means any http(s) address.
RETURN_URL_ORIGINS: list[str] = env.list("RETURN_URL_ORIGINS", default=[PUBLIC_URL] if PRODUCTION else [])

# How often buyers can make the shop ask a gateway about one payment; beyond that they are told what is known.
QUESTIONS_PER_PAYMENT: str = env.str("QUESTIONS_PER_PAYMENT", default="60/minute;600/hour")
# How many messages that no gateway has signed are kept to look at, for each gateway; the rest is refused all the same.
FORGED_WEBHOOKS_KEPT: str = env.str("FORGED_WEBHOOKS_KEPT", default="1000/hour")
# Each gateway's merchant accounts; one without variables is off. `backend/payments/gateways/<name>.py` is its adapter.
GATEWAYS: dict[str, list[Account]] = {"sandbox": [Account("sandbox")] if SANDBOX_GATEWAY else [], **read_gateways(env)}
if PRODUCTION:
    refuse_plain_gateways(account for accounts in GATEWAYS.values() for account in accounts)

# Tokens --------------------------------------------------------------------------------------------
TOKEN_ALGORITHM: str = env.str("TOKEN_ALGORITHM", default="HS256")
TOKEN_KEYS: list[str] = env.list("TOKEN_KEYS", default=[])
TOKEN_ISSUER: str = env.str("TOKEN_ISSUER", default=PUBLIC_URL)
TOKEN_AUDIENCE: str = env.str("TOKEN_AUDIENCE", default="cartograph")
TOKEN_LEEWAY_S: int = env.int("TOKEN_LEEWAY_S", default=10)
ACCESS_TOKEN_MINUTES: int = env.int("ACCESS_TOKEN_MINUTES", default=10)
REFRESH_TOKEN_DAYS: int = env.int("REFRESH_TOKEN_DAYS", default=30)
# How long signing in stands for a password with people who have none, and opens what changes ways to sign in.
RECENT_SIGN_IN_MINUTES: int = env.int("RECENT_SIGN_IN_MINUTES", default=10)
REFRESH_GRACE_S: int = env.int("REFRESH_GRACE_S", default=10)
# Cookies for browsers that ask for them; Secure wherever the shop is reached by https.
TOKEN_COOKIE_DOMAIN: str = env.str("TOKEN_COOKIE_DOMAIN", default="")
TOKEN_COOKIE_SAMESITE: str = env.str("TOKEN_COOKIE_SAMESITE", default="lax").lower()
TOKEN_COOKIE_SECURE = PRODUCTION or PUBLIC_URL.startswith("https:")
if TOKEN_COOKIE_SAMESITE not in {"lax", "strict", "none"}:
    raise ImproperlyConfigured(f"TOKEN_COOKIE_SAMESITE is lax, strict or none, not {TOKEN_COOKIE_SAMESITE!r}.")
# How often something may be tried: several windows make a delay that grows.
LOGIN_TRIES: str = env.str("LOGIN_TRIES", default="5/minute;15/hour;40/day")
LOGIN_TRIES_PER_ADDRESS: str = env.str("LOGIN_TRIES_PER_ADDRESS", default="200/minute;1000/hour")
LOGIN_TRIES_PER_ACCOUNT: str = env.str("LOGIN_TRIES_PER_ACCOUNT", default="100/minute;300/hour")
REGISTRATIONS_PER_ADDRESS: str = env.str("REGISTRATIONS_PER_ADDRESS", default="20/minute;100/hour")
MAILS_PER_ADDRESS: str = env.str("MAILS_PER_ADDRESS", default="20/minute;100/hour")
MAILS_PER_ACCOUNT: str = env.str("MAILS_PER_ACCOUNT", default="3/hour;10/day")
# One-time codes and second factors.
CODE_MINUTES: int = env.int("CODE_MINUTES", default=5)
CODE_TRIES: int = env.int("CODE_TRIES", default=5)
CODES_PER_DESTINATION: str = env.str("CODES_PER_DESTINATION", default="1/30 second;4/15 minute;10/day")
CODES_PER_DESTINATION_OVERALL: str = env.str("CODES_PER_DESTINATION_OVERALL", default="12/hour;30/day")
CODES_PER_ADDRESS: str = env.str("CODES_PER_ADDRESS", default="20/minute;100/hour")
SECOND_FACTOR_TRIES: str = env.str("SECOND_FACTOR_TRIES", default="10/15 minute;30/day")
SECOND_FACTOR_TRIES_PER_ACCOUNT: str = env.str("SECOND_FACTOR_TRIES_PER_ACCOUNT", default="100/day")
SECOND_FACTOR_ROLES: list[str] = env.list("SECOND_FACTOR_ROLES", default=[])
# What sends text messages: nothing, console (development alone), http, or the path of a class of your own.
SMS_SENDER: str = env.str("SMS_SENDER", default="" if PRODUCTION else "console")
SMS_URL: str = env.str("SMS_URL", default="")
SMS_TOKEN: str = env.str("SMS_TOKEN", default="")
SMS_FROM: str = env.str("SMS_FROM", default=SHOP_NAME)
if SMS_SENDER == "console" and PRODUCTION:
    raise ImproperlyConfigured("SMS_SENDER is console, which would show codes to whoever reads the logs.")
if SMS_SENDER == "http" and not SMS_URL.startswith("https://" if PRODUCTION else ("https://", "http://")):
    raise ImproperlyConfigured("SMS_SENDER is http, which needs SMS_URL, an https address.")
GRAPHQL_JWT = {
    **JWT_HANDLERS,
    "JWT_ALGORITHM": TOKEN_ALGORITHM,
    "JWT_ISSUER": TOKEN_ISSUER,
    "JWT_AUDIENCE": TOKEN_AUDIENCE,
    "JWT_EXPIRATION_DELTA": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "JWT_REFRESH_EXPIRATION_DELTA": timedelta(days=REFRESH_TOKEN_DAYS),
}

# Signing in with others -----------------------------------------------------------------------------
# Each is offered when the shop has a key of it. The names are those that social-auth reads.
SOCIAL_AUTH_GOOGLE_OAUTH2_KEY: str = env.str("GOOGLE_CLIENT_ID", default="")
SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET: str = env.str("GOOGLE_CLIENT_SECRET", default="")
SOCIAL_AUTH_GOOGLE_OAUTH2_AUTHORIZATION_URL: str = env.str(
    "GOOGLE_AUTHORIZATION_URL", default="https://accounts.google.com/o/oauth2/v2/auth"
)
SOCIAL_AUTH_GOOGLE_OAUTH2_ACCESS_TOKEN_URL: str = env.str(
    "GOOGLE_TOKEN_URL", default="https://oauth2.googleapis.com/token"
)
SOCIAL_AUTH_GOOGLE_OAUTH2_USERINFO_URL: str = env.str(
    "GOOGLE_USERINFO_URL", default="https://openidconnect.googleapis.com/v1/userinfo"
)
SOCIAL_AUTH_GITHUB_KEY: str = env.str("GITHUB_CLIENT_ID", default="")
SOCIAL_AUTH_GITHUB_SECRET: str = env.str("GITHUB_CLIENT_SECRET", default="")
SOCIAL_AUTH_GITHUB_AUTHORIZATION_URL: str = env.str(
    "GITHUB_AUTHORIZATION_URL", default="https://github.com/login/oauth/authorize"
)
SOCIAL_AUTH_GITHUB_ACCESS_TOKEN_URL: str = env.str(
    "GITHUB_TOKEN_URL", default="https://github.com/login/oauth/access_token"
)
SOCIAL_AUTH_GITHUB_API_URL: str = env.str("GITHUB_API_URL", default="https://api.github.com/")
SOCIAL_AUTH_GITHUB_SCOPE = ["user:email"]
SOCIAL_AUTH_REQUESTS_TIMEOUT = 8  # seconds
# The storefront's pages that providers may send people back to; empty in development means any.
SOCIAL_REDIRECT_URIS: list[str] = env.list("SOCIAL_REDIRECT_URIS", default=[])
SOCIAL_STARTS_PER_ADDRESS: str = env.str("SOCIAL_STARTS_PER_ADDRESS", default="60/minute;600/hour")
check_providers(vars())

# Emails --------------------------------------------------------------------------------------------
MAIL_DIR = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="shop@cartograph.example")
# Who is told that a payment needs somebody. Empty: every order manager.
STAFF_NOTICE_EMAILS: list[str] = env.list("STAFF_NOTICE_EMAILS", default=[])
# Where the storefront shows an order, with {id}, {number} and {token}; no link is sent without it.
STOREFRONT_ORDER_URL: str = env.str("STOREFRONT_ORDER_URL", default="")
try:
    STOREFRONT_ORDER_URL.format(id="", number="", token="")
except (LookupError, ValueError) as error:
    raise ImproperlyConfigured("STOREFRONT_ORDER_URL knows {id}, {number} and {token}, and no other braces.") from error
# Where the storefront confirms an address and sets a new password, with {token}; else mails hold the token alone.
STOREFRONT_VERIFY_URL: str = env.str("STOREFRONT_VERIFY_URL", default="")
STOREFRONT_RESET_URL: str = env.str("STOREFRONT_RESET_URL", default="")
STOREFRONT_INVITATION_URL: str = env.str("STOREFRONT_INVITATION_URL", default="")  # where a vendor's clerk accepts
for name, url in (
    ("STOREFRONT_VERIFY_URL", STOREFRONT_VERIFY_URL),
    ("STOREFRONT_RESET_URL", STOREFRONT_RESET_URL),
    ("STOREFRONT_INVITATION_URL", STOREFRONT_INVITATION_URL),
):
    try:
        url.format(token="")
    except (LookupError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} knows {{token}}, and no other braces.") from error
EMAIL_LINK_HOURS: int = env.int("EMAIL_LINK_HOURS", default=72)
PASSWORD_LINK_MINUTES: int = env.int("PASSWORD_LINK_MINUTES", default=60)
EMAIL_URL: str = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "backend.core.mail.FileBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)

# Files ---------------------------------------------------------------------------------------------
STATIC_URL: str = env.str("STATIC_URL", default="/static/")
STATIC_ROOT = BASE_DIR / "static"
MEDIA_URL: str = env.str("MEDIA_URL", default="/media/")
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False
if not PRODUCTION:
    # Static files are found in the apps, and served by Django itself: neither is news in development.
    warnings.filterwarnings("ignore", message="No directory at")
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Security ------------------------------------------------------------------------------------------
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if ENVIRONMENT == "test"
    else [
        "backend.core.hashers.LeanArgon2PasswordHasher",  # verifies what Django's own Argon2 hasher has made, too
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_ALL_ORIGINS = ENVIRONMENT == "development" and not CORS_ALLOWED_ORIGINS
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if PRODUCTION else [])
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS: int = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 60 * 60)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Measuring -----------------------------------------------------------------------------------------
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")  # /metrics is there only with it

# Logs ----------------------------------------------------------------------------------------------
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO" if PRODUCTION else "WARNING").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # These write addresses and bodies below this level, and some gateways want secrets there.
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore", "stripe", "paypalrestsdk", "urllib3")},
}
