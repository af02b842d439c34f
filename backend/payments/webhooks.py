"""Where gateways send their messages: authenticated, stored raw with the verdict, answered; a worker settles them.

Authenticating is arithmetic on what is in memory, so one transaction keeps all, and no answer goes out before it.
Where it needs the network, a worker does it later.
"""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backend.core import clock, outbox
from backend.core.throttle import Throttle
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import PaymentGateway, SignatureInvalid
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import WebhookMessage
from backend.payments.services.verifying import KEPT_OF_FORGED_BYTES, accept_webhook, incoming, reject_webhook
from backend.payments.texts import fitting, fitting_json

MAX_BODY_BYTES = 256 * 1024
KEPT_HEADERS = ("content-type", "user-agent")


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway_id: str, account: str = DEFAULT) -> HttpResponse:
    """200: taken, now or before. 400: not authentic. 404: no such gateway. 413: too large."""
    try:
        gateway = registry.get(gateway_id, account)
    except GatewayNotOffered:
        return HttpResponse(status=404)
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return HttpResponse(status=413)
    message = _message(request, gateway, body)
    if gateway.capabilities.webhooks_checked_later:
        with transaction.atomic():
            message.save()
            _announce(message)
        return HttpResponse(status=200)
    try:
        read = gateway.parse_webhook(incoming(message))
    except SignatureInvalid:
        # Anybody can send these: what is kept to look at must not fill the disk.
        if Throttle("forged webhooks", settings.FORGED_WEBHOOKS_KEPT).allows(gateway.id):
            reject_webhook(message, "not authentic", kept=KEPT_OF_FORGED_BYTES)
        return HttpResponse(status=400)
    except Exception:
        # A mistake of ours: the gateway is told and may send it again, and a worker tries what is kept.
        with transaction.atomic():
            message.save()
            _announce(message)
        raise
    accept_webhook(message, read, then=lambda: _announce(message))
    return HttpResponse(status=200)


def _message(request: HttpRequest, gateway: PaymentGateway, body: bytes) -> WebhookMessage:
    """What came, raw; not written yet. No answer goes out before it is."""
    wanted = gateway.capabilities.webhook_headers
    headers = {name.lower(): value for name, value in request.headers.items()}
    kept = {
        fitting(name, 100): fitting(value, 2000)
        for name, value in headers.items()
        if name in KEPT_HEADERS or name in wanted or "signature" in name
    }
    return WebhookMessage(
        gateway=gateway.id,
        account=gateway.account.name,
        body=body,
        headers=kept,
        query=fitting_json(request.GET.dict()),
        received_at=clock.now(),
    )


def _announce(message: WebhookMessage) -> None:
    outbox.emit("webhook.received", key=str(message.pk))
