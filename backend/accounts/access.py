"""Whose address it is: the only doors to one that somebody asks for."""

from django.db.models import QuerySet

from backend.accounts.models import SavedAddress
from backend.core.caller import Caller
from backend.core.errors import NotFound


class AddressNotFound(NotFound):
    """Also for somebody else's."""

    default_message = "You have no address with this id."


def visible_addresses(caller: Caller) -> QuerySet[SavedAddress]:
    """The caller's own; a guest has none."""
    return SavedAddress.objects.none() if caller.user_id is None else SavedAddress.objects.filter(user=caller.user_id)


def access_address(*, caller: Caller, address_id: int | None, field: str = "id") -> SavedAddress:
    """The caller's address; `address_id` is None when the id that was sent is none of ours.

    Raises AddressNotFound also for somebody else's.
    """
    address = None if address_id is None else visible_addresses(caller).filter(pk=address_id).first()
    if address is None:
        raise AddressNotFound(field=[field])
    return address
