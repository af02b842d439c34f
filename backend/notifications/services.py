"""Telling people what happened."""

from dataclasses import dataclass
from email.utils import format_datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from backend.accounts.models import GONE
from backend.core import clock
from backend.core.addresses import Address, from_json
from backend.core.ids import encode
from backend.core.money import Money
from backend.notifications.models import SentEmail
from backend.notifications.texts import TEXTS
from backend.orders.models import Order, OrderLine

CONFIRMATION = "order_confirmation"


@dataclass(frozen=True, slots=True)
class Line:
    """An order line as an email shows it."""

    name: str
    quantity: int
    total: str


@transaction.atomic
def send_order_confirmation(*, event_id: UUID, order_id: UUID) -> bool:
    """Send a paid order's confirmation, once for each event; False when it was sent before.

    The mark and the sending share a transaction: a crash in between sends twice rather than never.
    """
    order = Order.objects.select_related("customer").get(pk=order_id)
    language = order.language if order.language in TEXTS else settings.DEFAULT_LANGUAGE
    texts = TEXTS.get(language, TEXTS["en"])
    subject = texts["subject"].format(number=order.number, shop=settings.SHOP_NAME)
    _, first = SentEmail.objects.get_or_create(
        event_id=event_id,
        kind=CONFIRMATION,
        defaults={"recipient": "" if _has_left(order) else order.email, "subject": subject, "sent_at": clock.now()},
    )
    if not first:
        return False
    context = {"order": order, "texts": texts, "shop": settings.SHOP_NAME, **_amounts(order, language)}
    with translation.override(language):
        text = render_to_string("notifications/order_confirmation.txt", context)
        html = render_to_string("notifications/order_confirmation.html", context)
    # The shop's clock, not the machine's: with a moved clock a mail would seem older than its order.
    message = EmailMultiAlternatives(subject, text, to=[order.email], headers={"Date": format_datetime(clock.now())})
    message.attach_alternative(html, "text/html")
    message.send()
    return True


def _has_left(order: Order) -> bool:
    """Whether the buyer's account was erased meanwhile: then nothing new is kept of their address."""
    return order.customer is not None and order.customer.email.endswith(GONE)


def _amounts(order: Order, language: str) -> dict[str, object]:
    def written(minor: int) -> str:
        return Money(minor, order.currency).format(language)

    return {
        "language": language,
        "lines": [Line(_name(line), line.quantity, written(line.total)) for line in order.lines.order_by("pk")],
        "subtotal": written(order.subtotal),
        "shipping": written(order.shipping),
        "total": written(order.total),
        "address": _address_lines(order),
        "link": _link(order),
    }


def _name(line: OrderLine) -> str:
    return f"{line.product_name}, {line.variant_name}" if line.variant_name else line.product_name


def _address_lines(order: Order) -> list[str]:
    """The shipping address as it stands on a parcel, without what was not given; empty where nothing is shipped."""
    address = from_json(order.shipping_address) or Address()
    lines = [
        f"{address.first_name} {address.last_name}",
        address.company,
        address.line1,
        address.line2,
        f"{address.postal_code} {address.city}",
        address.region,
        address.country,
    ]
    return [line.strip() for line in lines if line.strip()]


def _link(order: Order) -> str:
    """Where the storefront shows the order; empty where the shop has not told."""
    return settings.STOREFRONT_ORDER_URL.format(id=encode("Order", order.pk), number=order.number, token=order.token)
