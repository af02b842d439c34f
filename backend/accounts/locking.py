"""One at a time for what a customer has only one of."""

from backend.accounts.models import User
from backend.core.errors import NotFound


def lock_customer(user_id: int) -> None:
    """Lock the customer until the transaction ends: before their carts, orders and addresses, always.

    Rows that point to the customer can still be written. Raises NotFound for one who has just been deleted.
    """
    if not User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk").first():
        raise NotFound("There is no such account.")
