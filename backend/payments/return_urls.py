"""Where buyers come back to after paying: the storefront's address, with what it needs to go on."""

import re
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from backend.core.errors import Invalid
from backend.core.ids import encode
from backend.payments.models import Payment

MAX_URL = 2000
SCHEMES = ("http", "https")
_is_address = URLValidator(schemes=SCHEMES)
_SINGLE_LABEL = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?", re.IGNORECASE)


def check_return_url(url: str) -> None:
    """Raises Invalid unless it is an absolute http(s) address (2,000 characters at most) at an allowed origin.

    Where the shop lists no origins (development), every host will do, also one of a single name, as containers have.
    """
    try:
        parts = _read(url)
    except (ValidationError, ValueError) as error:
        raise Invalid("An absolute http or https address.", field=["returnUrl"]) from error
    if parts.username is not None:
        raise Invalid("An address without a user name.", field=["returnUrl"])
    origins = settings.RETURN_URL_ORIGINS
    if origins and _origin(parts) not in origins:
        raise Invalid("The shop does not send buyers back to this address.", field=["returnUrl"])


def return_url(payment: Payment) -> str:
    """The storefront's address with the payment's and the order's ids, as the API knows them, added to its query."""
    ids = {"payment": encode("Payment", payment.pk), "order": encode("Order", payment.order_id)}
    return with_query(payment.return_url, ids)


def callback_url(payment: Payment) -> str:
    """Our own address for the returning browser: it takes what gateways add, by GET or POST, and sends the buyer on."""
    return f"{settings.PUBLIC_URL}/payments/return/{payment.gateway}/{payment.pk}/"


def with_query(url: str, added: dict[str, str]) -> str:
    """The address with more in its query, and whatever was there untouched."""
    parts, more = urlsplit(url), urlencode(added)
    return urlunsplit(parts._replace(query=f"{parts.query}&{more}" if parts.query else more))


def _read(url: str) -> SplitResult:
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise ValueError(url)
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"  # raises for one that there cannot be
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(url)
    if _SINGLE_LABEL.fullmatch(parts.hostname):
        # The validator knows no other single name than this one.
        _is_address(urlunsplit(parts._replace(netloc=f"localhost{port}")))
    elif _origin(parts) not in settings.RETURN_URL_ORIGINS:
        _is_address(url)
    return parts


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}"
