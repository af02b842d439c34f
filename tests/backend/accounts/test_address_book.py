from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from backend.accounts import address_book
from backend.accounts.access import AddressNotFound, visible_addresses
from backend.accounts.models import AddressKind, SavedAddress, User
from backend.carts import services as carts
from backend.core import addresses, clock
from backend.core.addresses import Address
from backend.core.caller import GUEST, Caller
from backend.core.errors import Invalid, NotFound, Required, Several
from tests.factories.accounts import make_customer
from tests.factories.carts import ADDRESS, make_cart

pytestmark = pytest.mark.django_db


def keep(caller: Caller, **given: Any) -> SavedAddress:
    return address_book.create_address(caller=caller, address=ADDRESS, **given)


def stored(caller: Caller) -> list[dict[str, Any]]:
    return list(visible_addresses(caller).order_by("pk").values())


def defaults(caller: Caller) -> list[tuple[bool, bool]]:
    rows = visible_addresses(caller).order_by("pk")
    return list(rows.values_list("is_default_shipping", "is_default_billing"))


def test_an_address_is_kept_as_its_country_writes_it() -> None:
    caller = make_customer()
    sent = replace(ADDRESS, postal_code="sw1y 4jh", phone="020 7946 0018")
    saved = address_book.create_address(caller=caller, address=sent, kind=AddressKind.WORK)
    saved.refresh_from_db()
    assert (saved.user_id, saved.kind, saved.postal_code) == (caller.user_id, "WORK", "SW1Y 4JH")
    assert saved.phone == "+442079460018"
    copied = address_book.copy_of(caller=caller, address_id=saved.pk, field="id")
    assert copied == addresses.clean(sent, field="address")


def test_the_first_address_is_the_default_and_others_when_they_are_said_to_be() -> None:
    caller = make_customer()
    keep(caller)
    keep(caller)
    assert defaults(caller) == [(True, True), (False, False)]
    keep(caller, billing=True)
    assert defaults(caller) == [(True, False), (False, False), (False, True)]


def test_the_first_address_is_no_default_when_it_is_said_not_to_be() -> None:
    caller = make_customer()
    keep(caller, shipping=False)
    assert defaults(caller) == [(False, True)]


def test_a_default_is_given_and_taken() -> None:
    caller, other = make_customer(), make_customer()
    keep(other)
    first, second = keep(caller), keep(caller)
    address_book.set_default_address(caller=caller, address_id=second.pk, shipping=True, billing=True)
    assert defaults(caller) == [(False, False), (True, True)]
    address_book.set_default_address(caller=caller, address_id=second.pk, shipping=True, billing=True)
    address_book.set_default_address(caller=caller, address_id=second.pk, billing=False)
    assert defaults(caller) == [(False, False), (True, False)]
    address_book.set_default_address(caller=caller, address_id=first.pk, shipping=False)
    assert defaults(caller) == [(False, False), (True, False)]
    assert defaults(other) == [(True, True)]


@pytest.mark.parametrize("column", ["is_default_shipping", "is_default_billing"])
def test_the_database_keeps_one_default_each(column: str) -> None:
    caller = make_customer()
    keep(caller)
    second = keep(caller)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedAddress.objects.filter(pk=second.pk).update(**{column: True})


def test_an_update_replaces_the_address_and_keeps_what_is_not_given() -> None:
    caller = make_customer()
    saved = keep(caller, kind=AddressKind.WORK)
    clock.move_offset(60)
    changed = address_book.update_address(caller=caller, address_id=saved.pk, address=replace(ADDRESS, city="Leeds"))
    changed.refresh_from_db()
    assert (changed.city, changed.kind, changed.is_default_shipping) == ("Leeds", "WORK", True)
    assert changed.updated_at > saved.updated_at
    address_book.update_address(caller=caller, address_id=saved.pk, kind=AddressKind.OTHER)
    changed.refresh_from_db()
    assert (changed.city, changed.kind) == ("Leeds", "OTHER")


def test_deleting_twice_finds_nothing_and_copies_stay() -> None:
    caller = make_customer()
    saved = keep(caller)
    cart = make_cart(caller=caller, shipping=None)
    copied = address_book.copy_of(caller=caller, address_id=saved.pk, field="id")
    carts.update_addresses(caller=caller, cart_id=cart.pk, shipping=copied)
    address_book.delete_address(caller=caller, address_id=saved.pk)
    with pytest.raises(AddressNotFound):
        address_book.delete_address(caller=caller, address_id=saved.pk)
    cart.refresh_from_db()
    assert cart.shipping_address["city"] == "London"


def test_faults_are_told_part_by_part_and_nothing_is_kept() -> None:
    caller = make_customer()
    with pytest.raises(Several) as refusal:
        address_book.create_address(caller=caller, address=Address(country="GB", postal_code="1"))
    told = [(type(part), part.field[-1]) for part in refusal.value.parts]
    assert (Required, "firstName") in told
    assert told[-1] == (Invalid, "postalCode")
    assert stored(caller) == []


def test_one_customer_keeps_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_book, "MAX_ADDRESSES", 2)
    caller = make_customer()
    keep(caller)
    keep(caller)
    before = stored(caller)
    with pytest.raises(Invalid):
        keep(caller, shipping=True)
    assert stored(caller) == before


COMMANDS: list[Callable[[Caller, int | None], object]] = [
    lambda caller, pk: address_book.update_address(caller=caller, address_id=pk, address=ADDRESS),
    lambda caller, pk: address_book.update_address(caller=caller, address_id=pk, kind=AddressKind.OTHER),
    lambda caller, pk: address_book.delete_address(caller=caller, address_id=pk),
    lambda caller, pk: address_book.set_default_address(caller=caller, address_id=pk, shipping=True, billing=True),
    lambda caller, pk: address_book.copy_of(caller=caller, address_id=pk, field="id"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_somebody_elses_address_and_one_that_is_not_there_look_the_same(
    command: Callable[[Caller, int | None], object],
) -> None:
    owner, other = make_customer(), make_customer()
    saved = keep(owner)
    keep(other)
    before = stored(owner), stored(other)
    told = []
    for address_id in (saved.pk, 10**9, None):
        with pytest.raises(AddressNotFound) as refusal:
            command(other, address_id)
        told.append((refusal.value.code, refusal.value.message, refusal.value.field))
    assert len({str(each) for each in told}) == 1
    with pytest.raises(NotFound):
        command(GUEST, saved.pk)
    assert (stored(owner), stored(other)) == before


def test_a_guest_and_a_deleted_account_keep_nothing() -> None:
    for caller in (GUEST, Caller(user_id=10**9)):
        with pytest.raises(NotFound):
            keep(caller)
    assert not SavedAddress.objects.exists()


def test_addresses_go_with_their_user() -> None:
    caller = make_customer()
    keep(caller)
    User.objects.get(pk=caller.user_id).delete()
    assert not SavedAddress.objects.exists()


def test_many_users_addresses_are_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    callers = [make_customer() for _ in range(3)]
    for caller in callers * 2:
        keep(caller)
    with django_assert_num_queries(1):
        found = address_book.addresses_by_user([caller.user_id or 0 for caller in callers])
    assert [len(found[caller.user_id or 0]) for caller in callers] == [2, 2, 2]
