"""What staff do with a payment in the admin: decide one that is flagged, take or give up what is set aside."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from backend.core.caller import Caller
from backend.core.errors import DomainError
from backend.core.money import Money
from backend.payments.gateways.base import GatewayRefused, GatewayUnavailable
from backend.payments.models import Payment, PaymentState
from backend.payments.services import cancel_payment, capture_payment, decide_flagged

CHOICES = {
    PaymentState.FLAGGED: (("accept", "The money counts for the order"), ("refund", "Give the money back")),
    PaymentState.AUTHORIZED: (("capture", "Take the money"), ("cancel", "Give it up")),
}


def caller_of(request: HttpRequest) -> Caller:
    """The person at the admin, with what Django lets them do."""
    user: Any = request.user
    permissions = frozenset(user.get_all_permissions())
    return Caller(user_id=user.pk, permissions=permissions, is_superuser=user.is_superuser)


def act(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """A page that asks why, and does it. Gateways are asked: it runs in no transaction."""
    if not caller_of(request).may("payments.change_payment"):
        raise PermissionDenied
    payment = get_object_or_404(Payment.objects.select_related("order"), pk=payment_id)
    choices = CHOICES.get(PaymentState(payment.state), ())
    problem = "" if choices else "There is nothing to decide about this payment."
    chosen, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    if request.method == "POST" and chosen in dict(choices):
        problem = _do(request, payment, chosen, reason)
        if not problem:
            messages.success(request, "Done.")
            return redirect("admin:payments_payment_change", payment.pk)
    context = {
        **admin.site.each_context(request),
        "title": "Decide about a payment",
        "payment": payment,
        "amount": Money(payment.amount, payment.currency).format("en"),
        "choices": choices,
        "problem": problem,
        "reason": reason,
    }
    return TemplateResponse(request, "admin/payments/payment/act.html", context)


def _do(request: HttpRequest, payment: Payment, chosen: str, reason: str) -> str:
    """What went wrong, in words; empty when it is done."""
    try:
        if chosen in ("accept", "refund"):
            accept = chosen == "accept"
            decide_flagged(caller=caller_of(request), payment_id=payment.pk, accept=accept, reason=reason)
        elif chosen == "capture":
            capture_payment(payment.pk)
        else:
            cancel_payment(payment.pk)
    except (DomainError, GatewayRefused) as error:
        return str(error)
    except GatewayUnavailable:
        return "The gateway did not answer. Try again."
    return ""
