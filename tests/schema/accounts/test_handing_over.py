"""An account that somebody has registered with another's address, and to which that address' owner then comes."""

from typing import Any

from backend.accounts.models import SavedAddress, User
from backend.carts.models import Cart, CartLine
from backend.core import clock
from backend.core.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, caller_of, make_user
from tests.factories.carts import ADDRESS, make_cart
from tests.factories.catalog import make_product
from tests.schema.accounts.documents import REGISTER, RESET, RESET_REQUEST
from tests.schema.accounts.mails import deliver, token_in
from tests.schema.customers.test_addresses import CREATE, SENT

FILL = """mutation ($cart: ID!, $address: ID!) {
  cartBuyerUpdate(input: { cartId: $cart, email: "eve@example.com", phone: "+15550100", note: "Ring." }) {
    userErrors { code } }
  cartAddressesUpdate(input: { cartId: $cart, shippingAddressId: $address, billingAddressId: $address }) {
    userErrors { code } } }"""
WHAT_IS_THERE = """{ viewer { addresses { line1 isDefaultShipping isDefaultBilling }
  cart { version itemCount email phone note shippingAddress { line1 } billingAddress { line1 } } } }"""
BLANK: dict[str, Any] = {"email": "", "phone": "", "note": "", "shipping_address": None, "billing_address": None}


def come_by_reset(gql: Gql) -> Gql:
    """Whoever reads the mailbox, signed in from then on."""
    deliver()
    gql(RESET_REQUEST, email="ada@example.com")
    [message] = deliver()
    payload = gql(RESET, token=token_in(message), new="batt3ry-staple-correct")["passwordReset"]
    assert payload["userErrors"] == []
    return Gql(payload["accessToken"])


def fill(ask: Gql, user: User) -> None:
    """Keep two addresses, and have a cart with everything that a buyer tells."""
    variant = make_product(stock=9).variants.get()
    kept = [ask(CREATE, input={"address": SENT})["addressCreate"]["address"]["id"] for _ in range(2)]
    cart = make_cart((variant, 2), caller=caller_of(user))
    answer = ask(FILL, cart=encode("Cart", cart.pk), address=kept[1])
    assert answer["cartBuyerUpdate"]["userErrors"] == answer["cartAddressesUpdate"]["userErrors"] == []


def rows() -> list[list[dict[str, Any]]]:
    return [list(model.objects.order_by("pk").values()) for model in (Cart, CartLine, SavedAddress)]


def defaults(shown: Any) -> list[tuple[bool, bool]]:
    return [(each["isDefaultShipping"], each["isDefaultBilling"]) for each in shown["addresses"]]


def test_no_parcel_goes_to_a_stranger_who_has_registered_somebodys_address(gql: Gql) -> None:
    """Nor the mails about it. What they have kept is there to be looked at."""
    made = gql(REGISTER, input={"email": "ada@example.com", "password": PASSWORD})["userRegister"]
    stranger, user = Gql(made["accessToken"]), User.objects.get()
    fill(stranger, user)
    before = stranger(WHAT_IS_THERE)["viewer"]
    assert defaults(before) == [(True, True), (False, False)]
    shown = come_by_reset(gql)(WHAT_IS_THERE)["viewer"]
    assert [each["line1"] for each in shown["addresses"]] == [ADDRESS.line1] * 2
    assert defaults(shown) == [(False, False)] * 2
    assert shown["cart"] == {
        "version": before["cart"]["version"] + 1, "itemCount": 2, "email": None, "phone": None, "note": None,
        "shippingAddress": None, "billingAddress": None,
    }  # fmt: skip
    assert stranger(WHAT_IS_THERE).codes == ["UNAUTHENTICATED"]


def test_whose_address_was_verified_keeps_all_of_it(gql: Gql) -> None:
    user = make_user("ada@example.com", email_verified_at=clock.now())
    mine = gql.signed_in(user)
    fill(mine, user)
    before = mine(WHAT_IS_THERE)["viewer"]
    owner = come_by_reset(gql)
    assert owner(WHAT_IS_THERE)["viewer"] == before
    assert defaults(before) == [(True, True), (False, False)]


def test_what_the_owner_says_then_stays_over_the_next_reset(gql: Gql) -> None:
    user = make_user("ada@example.com")
    come_by_reset(gql)
    mine = gql.signed_in(user)
    fill(mine, user)
    before = mine(WHAT_IS_THERE)["viewer"]
    assert come_by_reset(gql)(WHAT_IS_THERE)["viewer"] == before


def test_others_and_carts_that_know_nobody_are_left_alone(gql: Gql) -> None:
    user, other = make_user("ada@example.com"), make_user("bob@example.com", password=None)
    fill(gql.signed_in(other), other)
    cart = make_cart((make_product().variants.get(), 1), caller=caller_of(user))
    Cart.objects.filter(pk=cart.pk).update(**BLANK)
    before = rows()
    come_by_reset(gql)
    assert rows() == before
