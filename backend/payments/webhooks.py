"""Where gateways send their messages: stored raw, authenticated, answered; what they mean is settled by a worker."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backend.core import clock, outbox
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import GatewayMessage, PaymentGateway, SignatureInvalid
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import WebhookMessage, WebhookState
from backend.payments.services.verifying import KEPT_OF_FORGED_BYTES, accept_webhook, incoming
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
    if gateway.capabilities.webhooks_checked_later:
        with transaction.atomic():
            _announce(_store(request, gateway, body))
        return HttpResponse(status=200)
    message = _store(request, gateway, body)
    try:
        read = gateway.parse_webhook(incoming(message))
    except SignatureInvalid:
        # Anybody can send these: what is kept to look at must not fill the disk.
        message.body = body[:KEPT_OF_FORGED_BYTES]
        message.state, message.reason = WebhookState.REJECTED, "not authentic"
        message.save()
        return HttpResponse(status=400)
    _accept(message, read)
    return HttpResponse(status=200)


def _store(request: HttpRequest, gateway: PaymentGateway, body: bytes) -> WebhookMessage:
    """Before anything is done with it: what came is never lost."""
    wanted = gateway.capabilities.webhook_headers
    headers = {name.lower(): value for name, value in request.headers.items()}
    kept = {
        fitting(name, 100): fitting(value, 2000)
        for name, value in headers.items()
        if name in KEPT_HEADERS or name in wanted or "signature" in name
    }
    return WebhookMessage.objects.create(
        gateway=gateway.id,
        account=gateway.account.name,
        body=body,
        headers=kept,
        query=fitting_json(request.GET.dict()),
        received_at=clock.now(),
    )


@transaction.atomic
def _accept(message: WebhookMessage, read: GatewayMessage) -> None:
    """Announce the message, unless one with its event id has been before: then this one is kept and means nothing."""
    if accept_webhook(message, read):
        _announce(message)


def _announce(message: WebhookMessage) -> None:
    outbox.emit("webhook.received", key=str(message.pk))
