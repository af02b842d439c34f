"""A request with several faults hears of all of them at once, each with its own path, and changes nothing."""

import pytest

from backend.carts import services
from backend.carts.checking import NewLine
from backend.carts.models import Cart
from backend.carts.services import LineQuantity
from backend.catalog.models import ProductStatus
from backend.core.addresses import Address
from backend.core.caller import GUEST
from backend.core.errors import DomainError
from tests.factories.carts import ADDRESS, make_cart, row_of
from tests.factories.catalog import make_product, make_variant

pytestmark = pytest.mark.django_db


def add(cart: Cart, *lines: tuple[int | None, int]) -> Cart:
    new = [NewLine(variant_id, quantity) for variant_id, quantity in lines]
    return services.add_lines(caller=GUEST, cart_id=cart.pk, lines=new)


def update(cart: Cart, *lines: tuple[int | None, int]) -> Cart:
    sent = [LineQuantity(line_id, quantity) for line_id, quantity in lines]
    return services.update_lines(caller=GUEST, cart_id=cart.pk, lines=sent)


def test_every_line_at_fault_is_named_and_none_is_added() -> None:
    good, short, limited = make_variant(), make_variant(stock=0), make_variant(max_per_order=1)
    draft = make_product(status=ProductStatus.DRAFT).variants.get()
    cart = make_cart()
    with pytest.raises(DomainError) as refusal:
        add(cart, (good.pk, 1), (draft.pk, 1), (None, 0), (short.pk, 1), (limited.pk, 2), (10**9, 1), (good.pk, -1))
    assert sorted((part.field, part.code) for part in refusal.value.parts) == [
        (["lines", "1", "variantId"], "NOT_PURCHASABLE"),
        (["lines", "2", "quantity"], "INVALID"),
        (["lines", "2", "variantId"], "NOT_FOUND"),
        (["lines", "3", "quantity"], "OUT_OF_STOCK"),
        (["lines", "4", "quantity"], "QUANTITY_LIMIT"),
        (["lines", "5", "variantId"], "NOT_FOUND"),
        (["lines", "6", "quantity"], "INVALID"),
    ]
    assert not cart.lines.exists()


def test_a_new_carts_faults_are_all_named_and_none_is_made() -> None:
    with pytest.raises(DomainError) as refusal:
        services.create_cart(caller=GUEST, currency="JPY", email="nobody", lines=[NewLine(None, 0)])
    assert sorted(part.field for part in refusal.value.parts) == [
        ["currency"],
        ["email"],
        ["lines", "0", "quantity"],
        ["lines", "0", "variantId"],
    ]
    with pytest.raises(DomainError) as refusal:
        services.create_cart(caller=GUEST, currency="USD", email="nobody", lines=[NewLine(10**9, 1)])
    assert [part.field for part in refusal.value.parts] == [["email"], ["lines", "0", "variantId"]]
    assert not Cart.objects.exists()


def test_every_update_at_fault_is_named_and_none_is_made() -> None:
    first, second = make_variant(stock=5), make_variant(stock=5)
    cart = make_cart((first, 1), (second, 1))
    one, two = cart.lines.order_by("pk")
    before = row_of(cart)
    with pytest.raises(DomainError) as refusal:
        update(cart, (None, 1), (one.pk, -1), (two.pk, 6))
    assert [(part.field, part.code) for part in refusal.value.parts] == [
        (["lines", "0", "id"], "NOT_FOUND"),
        (["lines", "1", "quantity"], "INVALID"),
        (["lines", "2", "quantity"], "OUT_OF_STOCK"),
    ]
    assert row_of(cart) == before


def test_every_fault_of_the_buyer_is_named_and_nothing_changes() -> None:
    cart = make_cart()
    before = row_of(cart)
    with pytest.raises(DomainError) as refusal:
        services.update_buyer(caller=GUEST, cart_id=cart.pk, email="nobody", phone="1" * 33, note="\x00")
    assert [(part.field, part.code) for part in refusal.value.parts] == [
        (["email"], "INVALID"),
        (["phone"], "INVALID"),
        (["note"], "INVALID"),
    ]
    with pytest.raises(DomainError):
        services.update_buyer(caller=GUEST, cart_id=cart.pk, email="bob@example.com", note="\x00")
    assert row_of(cart) == before


def test_every_part_of_both_addresses_at_fault_is_named_and_nothing_changes() -> None:
    cart = make_cart()
    before = row_of(cart)
    billing = Address(**{**ADDRESS.as_json(), "country": "XX", "phone": "1\x00"})
    with pytest.raises(DomainError) as refusal:
        services.update_addresses(caller=GUEST, cart_id=cart.pk, shipping=Address(), billing=billing)
    assert [(part.code, *part.field) for part in refusal.value.parts] == [
        ("REQUIRED", "shippingAddress", "firstName"),
        ("REQUIRED", "shippingAddress", "lastName"),
        ("REQUIRED", "shippingAddress", "line1"),
        ("REQUIRED", "shippingAddress", "city"),
        ("REQUIRED", "shippingAddress", "country"),
        ("INVALID", "billingAddress", "country"),
        ("INVALID", "billingAddress", "phone"),
    ]
    assert row_of(cart) == before
