"""An order as gateways want to hear of it."""

from collections.abc import Iterable

from django.conf import settings

from backend.core.addresses import Address, from_json
from backend.orders.models import Order, OrderLine
from backend.orders.queries import lines_by_order
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import Buyer, CaptureMode, Line, PostalAddress, StartRequest
from backend.payments.models import Payment
from backend.payments.return_urls import callback_url, return_url


def start_request(payment: Payment) -> StartRequest:
    """Everything that a gateway may ask at the start; one statement for the lines."""
    order = payment.order
    return StartRequest(
        payment_id=payment.pk,
        order_number=order.number,
        amount=payment.amount,
        currency=payment.currency,
        return_url=return_url(payment),
        callback_url=callback_url(payment),
        webhook_url=webhook_url(payment.gateway, payment.account),
        attempt=payment.attempt,
        description=f"{settings.SHOP_NAME} {order.number}",
        language=order.language,
        buyer=_buyer(order),
        lines=_lines(lines_by_order([order.pk])[order.pk]),
        capture=CaptureMode.MANUAL if payment.manual_capture else CaptureMode.AUTOMATIC,
        customer=payment.customer,
        saved_method=payment.saved_method,
        save_method=payment.save_method,
        scenario=payment.scenario,
        created_at=payment.created_at,
    )


def webhook_url(gateway: str, account: str) -> str:
    """Where the gateway sends its messages about an account."""
    own = "" if account == DEFAULT else f"{account}/"
    return f"{settings.PUBLIC_URL}/webhooks/{gateway}/{own}"


def country_of(order: Order) -> str:
    """The buyer's country as far as the order tells: that of the bill before that of the parcel."""
    address = from_json(order.billing_address) or from_json(order.shipping_address)
    return address.country if address else ""


def vendors_of(order: Order) -> set[str]:
    """Slugs of everybody whose goods are in the order; the empty slug stands for the shop's own."""
    slugs = OrderLine.objects.filter(order=order).values_list("vendor__slug", flat=True)
    return {slug or "" for slug in slugs}


def _buyer(order: Order) -> Buyer:
    shipping, billing = from_json(order.shipping_address), from_json(order.billing_address)
    named = billing or shipping or Address()
    return Buyer(
        email=order.email,
        first_name=named.first_name,
        last_name=named.last_name,
        phone=order.phone or named.phone,
        billing=_postal(named),
        shipping=_postal(shipping) if shipping else None,
    )


def _postal(address: Address) -> PostalAddress:
    return PostalAddress(
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
    )


def _lines(lines: Iterable[OrderLine]) -> tuple[Line, ...]:
    return tuple(
        Line(
            name=f"{line.product_name} {line.variant_name}".strip(),
            sku=line.sku,
            quantity=line.quantity,
            total=line.total,
        )
        for line in lines
    )
