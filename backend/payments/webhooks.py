"""Where gateways send their messages: stored raw, authenticated, answered; what they mean is settled by a worker."""

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backend.core import clock, outbox
from backend.payments.gateways import registry
from backend.payments.gateways.base import SignatureInvalid
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import WebhookMessage, WebhookState
from backend.payments.texts import fitting

MAX_BODY_BYTES = 256 * 1024
KEPT_OF_FORGED_BYTES = 4 * 1024
KEPT_HEADERS = ("content-type", "user-agent")


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway_id: str) -> HttpResponse:
    """200: taken, now or before. 400: not authentic. 404: no such gateway. 413: too large."""
    try:
        gateway = registry.get(gateway_id)
    except GatewayNotOffered:
        return HttpResponse(status=404)
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    message = _store(gateway_id, body, headers)
    try:
        event_id = gateway.parse_webhook(body=body, headers=headers).event_id
    except SignatureInvalid:
        # Anybody can send these: what is kept to look at must not fill the disk.
        message.body = body[:KEPT_OF_FORGED_BYTES]
        _reject(message, "not authentic")
        return HttpResponse(status=400)
    _accept(message, event_id)
    return HttpResponse(status=200)


def _store(gateway_id: str, body: bytes, headers: dict[str, str]) -> WebhookMessage:
    """Before anything is done with it: what came is never lost."""
    kept = {
        fitting(name, 100): fitting(headers[name], 500)
        for name in headers
        if name in KEPT_HEADERS or "signature" in name
    }
    return WebhookMessage.objects.create(gateway=gateway_id, body=body, headers=kept, received_at=clock.now())


def _reject(message: WebhookMessage, reason: str) -> None:
    message.state = WebhookState.REJECTED
    message.reason = reason
    message.save()


def _accept(message: WebhookMessage, event_id: str) -> None:
    """Announce the message, unless one with its event id has been before: then this one is kept and means nothing."""
    message.event_id = fitting(event_id, 255)
    message.state = WebhookState.VERIFIED
    try:
        with transaction.atomic():
            message.save()
            outbox.emit("webhook.received", key=str(message.pk))
    except IntegrityError:
        _reject(message, "repeated")
