"""What we send to begin a payment. The same request gives the same parameters: Stripe compares them by our key."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from backend.payments.gateways.base import Buyer, CaptureMode, StartRequest

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams

CHARGE = ["latest_charge.balance_transaction", "review"]
IN_SESSION = [f"payment_intent.{path}" for path in CHARGE]
STAYS_OPEN = timedelta(minutes=31)
"""Beyond the moment when the order expires: Stripe wants half an hour at least, also if the start is repeated then."""
_LOCALES = "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh"
LOCALES = frozenset(_LOCALES.split())
MOST_TEXT = 500


def intent_params(request: StartRequest, amount: int) -> "PaymentIntentCreateParams":
    """The buyer confirms it with Stripe.js, by any way to pay that the account's dashboard allows."""
    params = {
        "amount": amount,
        "currency": request.currency.lower(),
        "automatic_payment_methods": {"enabled": True},
        "expand": CHARGE,
        **_common(request),
    }
    if request.customer:
        params["customer"] = request.customer
    return cast("PaymentIntentCreateParams", params)


def saved_params(request: StartRequest, amount: int) -> "PaymentIntentCreateParams":
    """Confirmed at once with a saved way to pay; the bank may still want to see the buyer, who then comes back."""
    again = {"payment_method": request.saved_method, "confirm": True, "return_url": request.callback_url}
    return cast("PaymentIntentCreateParams", {**intent_params(request, amount), **again})


def session_params(request: StartRequest, amount: int) -> "SessionCreateParams":
    """One line for all of it: the order's lines need not add up to what is paid now."""
    bought = ", ".join(f"{line.quantity} x {line.name}" for line in request.lines)[:MOST_TEXT]
    product = {"name": request.description or request.order_number} | ({"description": bought} if bought else {})
    price = {"currency": request.currency.lower(), "unit_amount": amount, "product_data": product}
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": str(request.payment_id),
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": request.callback_url,
        "cancel_url": request.callback_url,
        "locale": request.language if request.language in LOCALES else "auto",
        # Prices in the buyer's own currency would not be what the order says.
        "adaptive_pricing": {"enabled": False},
        "metadata": _metadata(request),
        "payment_intent_data": _common(request),
        "expand": IN_SESSION,
    }
    if request.customer:
        params["customer"] = request.customer
    elif request.buyer.email:
        params["customer_email"] = request.buyer.email
    if request.created_at:
        lasts = timedelta(minutes=settings.RESERVATION_MINUTES) + STAYS_OPEN
        params["expires_at"] = int((request.created_at + lasts).timestamp())
    return cast("SessionCreateParams", params)


def _common(request: StartRequest) -> dict[str, Any]:
    params: dict[str, Any] = {"description": request.description, "metadata": _metadata(request)}
    if request.capture is CaptureMode.MANUAL:
        params["capture_method"] = "manual"
    if request.save_method:
        params["setup_future_usage"] = "on_session"
    shipping = _shipping(request.buyer)
    return params | ({"shipping": shipping} if shipping else {})


def _metadata(request: StartRequest) -> dict[str, str]:
    return {"payment_id": str(request.payment_id), "order_number": request.order_number}


def _shipping(buyer: Buyer) -> Mapping[str, Any] | None:
    """Helps Stripe to judge risks. It wants a name and a first line."""
    to, name = buyer.shipping, f"{buyer.first_name} {buyer.last_name}".strip()
    if to is None or not to.line1 or not name:
        return None
    address = {
        "line1": to.line1,
        "line2": to.line2,
        "city": to.city,
        "state": to.region,
        "postal_code": to.postal_code,
        "country": to.country,
    }
    told = {"name": name, "address": {key: value for key, value in address.items() if value}}
    return told | ({"phone": buyer.phone} if buyer.phone else {})
