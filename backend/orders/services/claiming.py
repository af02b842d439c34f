"""A guest's orders become the customer's who has shown that the email address is theirs."""

from django.db import transaction

from backend.accounts.locking import lock_customer
from backend.accounts.models import User
from backend.core.caller import Caller
from backend.core.errors import NotFound
from backend.orders.access import claimable_orders
from backend.orders.errors import EmailNotVerified
from backend.orders.models import Order


@transaction.atomic
def claim_orders(*, caller: Caller) -> int:
    """Take over every guest's order under the caller's verified email address. Returns how many there were.

    Their tokens go on opening them. Locks the customer, then the orders by id. Raises EmailNotVerified.
    """
    if caller.user_id is None:
        raise NotFound("There is no such account.")
    lock_customer(caller.user_id)
    if not User.objects.filter(pk=caller.user_id, email_verified_at__isnull=False).exists():
        raise EmailNotVerified
    locked = claimable_orders(caller).select_for_update(of=("self",)).order_by("pk")
    return Order.objects.filter(pk__in=[order.pk for order in locked]).update(customer_id=caller.user_id)
