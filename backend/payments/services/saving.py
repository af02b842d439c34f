"""Ways to pay that a gateway keeps for a signed-in customer: saved, listed, removed, paid with again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from django.contrib.auth import get_user_model
from django.db import transaction

from backend.core.caller import Caller
from backend.core.errors import DomainError, NotFound
from backend.payments.errors import GatewayDown
from backend.payments.gateways import registry
from backend.payments.gateways.accounts import DEFAULT
from backend.payments.gateways.base import GatewayRefused, GatewayUnavailable, PaymentGateway
from backend.payments.gateways.optional import SavedMethod, SavesMethods
from backend.payments.gateways.registry import GatewayNotOffered
from backend.payments.models import GatewayCustomer, Payment
from backend.payments.texts import fitting

Answer = TypeVar("Answer")


class SignedOut(DomainError):
    code = "FORBIDDEN"
    default_message = "Only a signed-in customer can save ways to pay."


@dataclass(frozen=True, slots=True)
class KeptMethod:
    """A saved method and where it is kept."""

    gateway: str
    account: str
    method: SavedMethod


def begin_saving(*, caller: Caller, gateway_id: str, key: str, account: str = DEFAULT) -> Mapping[str, str]:
    """What the browser needs to save a method without paying. Asks the gateway: not inside a transaction.

    Raises SignedOut, GatewayNotOffered, GatewayDown.
    """
    gateway = _saving(gateway_id, account)
    reference = ready_customer(caller, gateway)
    return _asked(lambda: cast(SavesMethods, gateway).begin_saving(reference, key=f"save:{caller.user_id}:{key}"))


def list_methods(*, caller: Caller) -> list[KeptMethod]:
    """Every method that gateways keep for the caller; those of a gateway that is silent now are left out.

    Asks the gateways: not inside a transaction.
    """
    found: list[KeptMethod] = []
    if caller.user_id is None:
        return found
    for customer in GatewayCustomer.objects.filter(user_id=caller.user_id).order_by("pk"):
        try:
            gateway = _saving(customer.gateway, customer.account)
            methods = cast(SavesMethods, gateway).saved_methods(customer.reference)
        except (GatewayNotOffered, GatewayUnavailable, GatewayRefused):
            continue
        found += [KeptMethod(customer.gateway, customer.account, method) for method in methods]
    return found


def forget_method(*, caller: Caller, gateway_id: str, method_id: str, account: str = DEFAULT) -> None:
    """Let a gateway forget a method of the caller. Not inside a transaction.

    Raises SignedOut, GatewayNotOffered, NotFound for what is not theirs, GatewayDown.
    """
    if caller.user_id is None:
        raise SignedOut
    gateway = _saving(gateway_id, account)
    customer = GatewayCustomer.objects.filter(user_id=caller.user_id, gateway=gateway.id, account=account).first()
    if customer is None:
        raise NotFound(field=["id"])
    if not _asked(lambda: cast(SavesMethods, gateway).forget_method(customer.reference, method_id)):
        raise NotFound(field=["id"])


def ready_customer(caller: Caller, gateway: PaymentGateway) -> str:
    """The gateway's id for the caller, made there the first time. Not inside a transaction.

    Raises SignedOut, GatewayDown. Two at once make one: the gateway knows our key, and the row is unique.
    """
    if caller.user_id is None:
        raise SignedOut
    known = GatewayCustomer.objects.filter(
        user_id=caller.user_id, gateway=gateway.id, account=gateway.account.name
    ).first()
    if known is not None:
        return known.reference
    user = get_user_model().objects.get(pk=caller.user_id)
    name = f"{user.first_name} {user.last_name}".strip()
    key = f"customer:{user.pk}"
    reference = _asked(lambda: cast(SavesMethods, gateway).create_customer(key=key, email=user.email, name=name))
    with transaction.atomic():
        kept, _ = GatewayCustomer.objects.get_or_create(
            user_id=caller.user_id,
            gateway=gateway.id,
            account=gateway.account.name,
            defaults={"reference": reference},
        )
    return kept.reference


def check_saving(caller: Caller, gateway: PaymentGateway, method_id: str) -> None:
    """Raises SignedOut, GatewayNotOffered, and NotFound for what can be no method's id."""
    if caller.user_id is None:
        raise SignedOut
    _saving(gateway.id, gateway.account.name)
    if method_id != fitting(method_id, 255):
        raise NotFound("There is no such saved way to pay.", field=["savedMethodId"])


def with_customer(caller: Caller, payment: Payment) -> Payment:
    """The payment, knowing the gateway's customer where it saves or uses a method. Not inside a transaction."""
    if not (payment.save_method or payment.saved_method) or payment.customer:
        return payment
    payment.customer = ready_customer(caller, registry.get(payment.gateway, payment.account))
    Payment.objects.filter(pk=payment.pk, customer="").update(customer=payment.customer)
    return payment


def _saving(gateway_id: str, account: str) -> PaymentGateway:
    gateway = registry.get(gateway_id, account)
    if not gateway.capabilities.saved_methods:
        raise GatewayNotOffered(f"{gateway.name} saves no ways to pay.", field=["gateway"])
    return gateway


def _asked(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    except (GatewayUnavailable, GatewayRefused) as error:
        raise GatewayDown(field=["gateway"]) from error
