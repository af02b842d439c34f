"""The addresses that customers keep. Whoever changes them is locked: of two defaults one is the last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from django.db import transaction

from backend.accounts.access import access_address, visible_addresses
from backend.accounts.locking import lock_customer
from backend.accounts.models import AddressKind, SavedAddress
from backend.core import addresses, clock
from backend.core.addresses import Address
from backend.core.caller import Caller
from backend.core.errors import Invalid, NotFound

MAX_ADDRESSES = 100
"""That one customer may keep."""
Defaults = Mapping[str, bool]
"""From a column ("is_default_shipping", "is_default_billing") to whether the address is to be that default."""


def addresses_by_user(user_ids: Iterable[int]) -> dict[int, list[SavedAddress]]:
    """User id -> their addresses, oldest first; one statement. It does not ask who wants them."""
    found: dict[int, list[SavedAddress]] = defaultdict(list)
    for address in SavedAddress.objects.filter(user_id__in=list(user_ids)).order_by("pk"):
        found[address.user_id].append(address)
    return found


def addresses_by_id(ids: Iterable[int], *, caller: Caller) -> dict[int, SavedAddress]:
    """The caller's own, by id."""
    return {address.pk: address for address in visible_addresses(caller).filter(pk__in=list(ids))}


def copy_of(*, caller: Caller, address_id: int | None, field: str) -> Address:
    """A kept address as carts and orders take it. Raises AddressNotFound."""
    saved = access_address(caller=caller, address_id=address_id, field=field)
    return Address(**{name: getattr(saved, name) for name in addresses.NAMES})


@transaction.atomic
def create_address(
    *,
    caller: Caller,
    address: Address,
    kind: AddressKind = AddressKind.HOME,
    shipping: bool | None = None,
    billing: bool | None = None,
) -> SavedAddress:
    """Keep an address. A customer's first one is the default for both, unless it is said not to be.

    Raises Required and Invalid naming every part at fault, and Invalid for more than may be kept.
    """
    cleaned = addresses.clean(address, field="address")
    user_id = _lock(caller)
    kept = visible_addresses(caller).count()
    if kept >= MAX_ADDRESSES:
        raise Invalid(f"At most {MAX_ADDRESSES} addresses can be kept.", field=["address"])
    wanted = {
        "is_default_shipping": not kept if shipping is None else shipping,
        "is_default_billing": not kept if billing is None else billing,
    }
    _make_room(caller, wanted)
    moment = clock.now()
    return SavedAddress.objects.create(
        user_id=user_id, kind=kind, created_at=moment, updated_at=moment, **wanted, **asdict(cleaned)
    )


@transaction.atomic
def update_address(
    *, caller: Caller, address_id: int | None, address: Address | None = None, kind: AddressKind | None = None
) -> SavedAddress:
    """Replace what is given: the whole address, its kind. Raises AddressNotFound, and as `create_address`."""
    _lock(caller)
    saved = access_address(caller=caller, address_id=address_id)
    if address is not None:
        for name, value in asdict(addresses.clean(address, field="address")).items():
            setattr(saved, name, value)
    saved.kind = kind or saved.kind
    return _save(saved)


@transaction.atomic
def delete_address(*, caller: Caller, address_id: int | None) -> None:
    """Forget an address; copies in carts and orders stay. Raises AddressNotFound."""
    _lock(caller)
    access_address(caller=caller, address_id=address_id).delete()


@transaction.atomic
def set_default_address(
    *, caller: Caller, address_id: int | None, shipping: bool | None = None, billing: bool | None = None
) -> SavedAddress:
    """Make an address a default, or no longer one; None leaves that as it is. Raises AddressNotFound."""
    _lock(caller)
    saved = access_address(caller=caller, address_id=address_id)
    given = {"is_default_shipping": shipping, "is_default_billing": billing}
    wanted = {name: value for name, value in given.items() if value is not None}
    _make_room(caller, wanted)
    for name, value in wanted.items():
        setattr(saved, name, value)
    return _save(saved)


def _lock(caller: Caller) -> int:
    if caller.user_id is None:
        raise NotFound("There is no such account.")
    lock_customer(caller.user_id)
    return caller.user_id


def _make_room(caller: Caller, wanted: Defaults) -> None:
    """One default each: the one before is none any more."""
    for name, value in wanted.items():
        if value:
            visible_addresses(caller).filter(**{name: True}).update(**{name: False})


def _save(saved: SavedAddress) -> SavedAddress:
    saved.updated_at = clock.now()
    saved.save()
    return saved
