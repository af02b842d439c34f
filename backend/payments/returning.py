"""Where gateways send the buyer's browser back to: by GET or POST, with whatever they add."""

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import iri_to_uri
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from backend.core import outbox
from backend.payments.gateways import registry
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import Payment, PaymentState
from backend.payments.return_urls import return_url, with_query
from backend.payments.services.calls import ref_of
from backend.payments.services.settling import DECIDED
from backend.payments.texts import fitting_json

MAX_BODY_BYTES = 64 * 1024
STATUS = {
    PaymentState.SUCCEEDED: "succeeded",
    PaymentState.PARTIALLY_REFUNDED: "succeeded",
    PaymentState.REFUNDED: "succeeded",
    PaymentState.FAILED: "failed",
    PaymentState.CANCELLED: "cancelled",
    PaymentState.FLAGGED: "processing",
}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, gateway_id: str, payment_id: UUID) -> HttpResponse:
    """303 to the storefront. Nothing that the browser brings is believed: a worker asks the gateway, with it as a hint.

    It comes across sites, by POST even without our cookies: nothing here needs to know who it is.
    """
    payment = Payment.objects.filter(pk=payment_id, gateway=gateway_id).first()
    if payment is None:
        return HttpResponse(status=404)
    if request.method == "POST":
        length = request.headers.get("content-length") or "0"
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            return HttpResponse(status=400)
        if int(length) > MAX_BODY_BYTES:
            return HttpResponse(status=413)
    if payment.state not in DECIDED:
        brought = _brought(payment, {**request.GET.dict(), **request.POST.dict()})
        outbox.emit("payment.returned", key=str(payment.pk), data=fitting_json(brought))
    response = HttpResponse(status=303)
    address = with_query(return_url(payment), {"status": STATUS.get(PaymentState(payment.state), "processing")})
    response["Location"] = iri_to_uri(address)
    response["Cache-Control"] = "no-store"
    return response


def _brought(payment: Payment, sent: dict[str, str]) -> Mapping[str, str]:
    """What of it the gateway's adapter can use. The rest is not kept: some gateways send parts of cards along."""
    try:
        gateway = registry.get(payment.gateway, payment.account)
    except GatewayNotOffered:
        return {}
    return gateway.read_return(ref_of(payment), sent)
