"""One at a time for what a customer has only one of, and for who may have been erased a moment ago."""

from backend.accounts.models import User
from backend.core.errors import NotFound


def lock_user(user_id: int, *, no_key: bool = False) -> User:
    """Somebody who is signed in, locked until the transaction ends, to write what is theirs.

    Raises NotFound for whose account was erased or closed while this waited: the row is still there, to tell nothing.
    """
    user = User.objects.select_for_update(of=("self",), no_key=no_key).filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound("There is no such account.")
    return user


def lock_customer(user_id: int) -> None:
    """Lock the customer until the transaction ends: before their carts, orders and addresses, always.

    Rows that point to the customer can still be written. Raises NotFound as `lock_user` does.
    """
    lock_user(user_id, no_key=True)
