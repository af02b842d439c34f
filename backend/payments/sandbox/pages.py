"""The hosted payment page."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from backend.core.money import Money
from backend.payments.gateways.registry import enabled
from backend.payments.models import SandboxCharge
from backend.payments.sandbox import charges
from backend.payments.sandbox.scenarios import Scenario, deliveries

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
        if charge.state != charges.AUTHENTICATING:
            _send_first(charge)
            return HttpResponseRedirect(return_address(charge))
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
    query = [*parse_qsl(parts.query, keep_blank_values=True)]
    query += [("payment", charge.merchant_reference), ("status", charge.state.lower())]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _send_first(charge: SandboxCharge) -> None:
    """WEBHOOK_BEFORE_REDIRECT: the shop hears of it before the buyer is back."""
    if charge.scenario == Scenario.WEBHOOK_BEFORE_REDIRECT.value:
        for each in deliveries(Scenario.APPROVE, charge_id=charge.pk, state=charge.state, currency=charge.currency):
            charges.deliver(charge.pk, {"event_id": each.event_id, "state": each.state})
