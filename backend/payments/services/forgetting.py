"""What need not be kept for ever."""

from datetime import timedelta

from backend.core import clock
from backend.payments.models import WebhookMessage, WebhookState

KEPT = timedelta(days=30)


def delete_rejected_messages() -> int:
    """Forget messages that meant nothing, forged ones and repetitions, after a month. Authentic ones stay."""
    old = WebhookMessage.objects.filter(state=WebhookState.REJECTED, received_at__lt=clock.now() - KEPT)
    return old.delete()[0]
