"""The hosted payment page."""

import logging
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_http_methods

from backend.core.money import Money
from backend.payments.gateways.registry import enabled
from backend.payments.models import SandboxCharge
from backend.payments.sandbox import charges
from backend.payments.sandbox.scenarios import Scenario, deliveries

logger = logging.getLogger(__name__)
BUTTONS = frozenset({"pay", "decline", "authenticate", "close"})


@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, charge_id: str) -> HttpResponse:
    """Shows the amount and the buttons; a press decides, and the buyer goes back to the shop."""
    if not any(gateway.id == "sandbox" for gateway in enabled()):
        raise Http404
    charge = get_object_or_404(SandboxCharge, pk=charge_id)
    button = request.POST.get("button", "")
    if request.method == "POST" and button in BUTTONS:
        charge = charges.press(charge_id, button)
        if charges.is_finished(charge):
            _send_first(charge)
            return _send_back(charge)
    context = {
        "charge": charge,
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
    """The merchant's return URL, with the payment's id and state added to whatever query it has."""
    parts = urlsplit(charge.return_url)
    added = urlencode({"payment": charge.merchant_reference, "status": charge.state.lower()})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


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
