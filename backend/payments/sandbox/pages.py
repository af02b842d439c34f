"""The hosted payment page."""

import logging

import httpx
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_http_methods

from backend.core.money import Money
from backend.orders.models import OrderStatus
from backend.orders.queries import takes_money
from backend.payments.gateways.registry import enabled
from backend.payments.models import Payment, SandboxCharge
from backend.payments.return_urls import with_query
from backend.payments.sandbox import charges
from backend.payments.sandbox.scenarios import Scenario, deliveries

logger = logging.getLogger(__name__)
BUTTONS = frozenset({"pay", "decline", "authenticate", "close"})
PAID_ALREADY = "This order is paid already. Nothing was taken here."
OVER = {
    OrderStatus.CANCELLED: "This order was cancelled. There is nothing to pay.",
    OrderStatus.EXPIRED: "The time of this order is over, and its items are gone. There is nothing to pay.",
}


@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, charge_id: str) -> HttpResponse:
    """Shows the amount and the buttons; a press decides, and the buyer goes back to the shop.

    On a page left open of an order that can take no money any more, no button does anything.
    """
    if not any(gateway.id == "sandbox" for gateway in enabled()):
        raise Http404
    charge = get_object_or_404(SandboxCharge, pk=charge_id)
    over = _over(charge)
    button = request.POST.get("button", "")
    if request.method == "POST" and button in BUTTONS and not over:
        charge = charges.press(charge_id, button)
        if charges.is_finished(charge):
            _send_first(charge)
            return _send_back(charge)
    context = {
        "charge": charge,
        "over": over,
        "late": charges.told(charge) == charges.PROCESSING,
        "amount": Money(charge.amount, charge.currency).format("en"),
        "shop": settings.SHOP_NAME,
        "return_address": return_address(charge),
    }
    response = render(request, "payments/sandbox_pay.html", context)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def return_address(charge: SandboxCharge) -> str:
    """The merchant's return URL, with what the gateway tells of the payment now added to whatever query it has."""
    return with_query(charge.return_url, {"status": charges.told(charge).lower()})


def _over(charge: SandboxCharge) -> str:
    """Why there is nothing to pay here any more; empty where there is. Real gateways' pages end with their session."""
    if charges.is_finished(charge):
        return ""
    payment = Payment.objects.select_related("order").filter(pk=charge.merchant_reference).first()
    if payment is None or takes_money(payment.order, amount=charge.amount):
        return ""
    return OVER.get(OrderStatus(payment.order.status), PAID_ALREADY)


def _send_back(charge: SandboxCharge) -> HttpResponse:
    """Django's own redirect refuses addresses over 2,048 characters: the longest that we take, with our query, is."""
    response = HttpResponse(status=302)
    response["Location"] = iri_to_uri(return_address(charge))
    return response


def _send_first(charge: SandboxCharge) -> None:
    """WEBHOOK_BEFORE_REDIRECT: the shop hears of it before the buyer is back."""
    if charge.scenario != Scenario.WEBHOOK_BEFORE_REDIRECT.value:
        return
    for each in deliveries(Scenario.APPROVE, charge_id=charge.pk, state=charge.state, currency=charge.currency):
        try:
            charges.deliver(charge.pk, {"event_id": each.event_id, "state": each.state})
        except httpx.HTTPError:
            logger.warning("The shop could not be reached about %s: it has to ask", charge.pk)
