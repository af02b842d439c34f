"""A customer's cart, and a guest's that joins it: by `cartMerge`, and on the way when signing in."""

from typing import Any

import pytest

from backend.accounts.models import User
from backend.carts import merging
from backend.carts.models import Cart
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, caller_of, make_customer, make_user
from tests.factories.carts import make_cart, row_of
from tests.factories.catalog import make_product, make_variant

LINES = "cart { id itemCount lines { quantity variant { sku } } }"
OUTCOMES = "replayed outcomes { variant { sku } outcome guestQuantity accountQuantity finalQuantity }"
MERGE = f"""mutation ($cartId: ID!) {{ cartMerge(input: {{ cartId: $cartId }}) {{
  {LINES} {OUTCOMES} userErrors {{ code message field }} }} }}"""
SIGN_IN = f"""mutation ($login: String!, $cartId: ID) {{
  tokenCreate(input: {{ login: $login, password: "{PASSWORD}", cartId: $cartId }}) {{
    accessToken cartMerge {{ {LINES} {OUTCOMES} }} userErrors {{ code }} }} }}"""
MINE = f"{{ viewer {{ {LINES} }} }}"
CREATE = (
    f"mutation ($input: CartCreateInput!) {{ cartCreate(input: $input) {{ {LINES} userErrors {{ code field }} }} }}"
)


@pytest.fixture
def user(db: None) -> User:
    return make_user(password=None)


def cart_id(cart: Cart) -> str:
    return encode("Cart", cart.pk)


def test_a_cart_made_while_signed_in_is_there_on_every_device(gql: Gql, user: User) -> None:
    variant = make_variant(sku="MUG")
    line = {"variantId": encode("ProductVariant", variant.pk), "quantity": 2}
    assert gql.signed_in(user)(MINE)["viewer"]["cart"] is None
    made = gql.signed_in(user)(CREATE, input={"lines": [line]})["cartCreate"]["cart"]
    again = gql.signed_in(user)(CREATE, input={"lines": [line]})["cartCreate"]["cart"]
    assert (again["id"], again["itemCount"]) == (made["id"], 4)
    assert gql.signed_in(user)(MINE)["viewer"]["cart"] == again
    assert gql.signed_in(make_user(password=None))(MINE)["viewer"]["cart"] is None
    other = gql.signed_in(user)(CREATE, input={"currency": "EUR", "lines": [line]})["cartCreate"]
    assert other["userErrors"] == [{"code": "CURRENCY_MISMATCH", "field": ["input", "currency"]}]
    in_euros = CREATE.replace("!) {", "!) @inContext(currency: EUR) {", 1)
    assert gql.signed_in(user)(in_euros, input={})["cartCreate"]["cart"] == again


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("SUM", [("BOTH", "SUMMED", 5), ("FEW", "CLIPPED_TO_STOCK", 3), ("NEW", "MOVED", 1)]),
        ("KEEP_GUEST", [("BOTH", "MOVED", 1), ("FEW", "MOVED", 3), ("NEW", "MOVED", 1)]),
        ("KEEP_ACCOUNT", [("BOTH", "KEPT", 4), ("FEW", "KEPT", 2), ("NEW", "MOVED", 1)]),
    ],
)
def test_a_strategy_says_what_counts_of_what_both_have(
    gql: Gql, user: User, strategy: str, told: list[tuple[str, str, int]]
) -> None:
    both, few = make_variant(sku="BOTH"), make_variant(sku="FEW", stock=3)
    make_cart((both, 4), (few, 2), (make_variant(sku="OLD"), 1), caller=caller_of(user))
    guest = make_cart((both, 1), (few, 3), (make_variant(sku="NEW"), 1))
    mine = gql.signed_in(user)
    document = MERGE.replace("!) {", f"!, $strategy: CartMergeStrategy = {strategy}) {{", 1)
    document = document.replace("cartId: $cartId", "cartId: $cartId, strategy: $strategy")
    merged = mine(document, cartId=cart_id(guest))["cartMerge"]
    outcomes = [(each["variant"]["sku"], each["outcome"], each["finalQuantity"]) for each in merged["outcomes"]]
    assert outcomes == told
    units = {line["variant"]["sku"]: line["quantity"] for line in merged["cart"]["lines"]}
    assert units == {"OLD": 1, **{sku: final for sku, _, final in told}}
    again = mine(document, cartId=cart_id(guest), strategy="SUM")["cartMerge"]
    assert (again["replayed"], again["outcomes"], again["cart"]) == (True, merged["outcomes"], merged["cart"])


def test_a_merge_tells_each_line_and_again_the_same(gql: Gql, user: User) -> None:
    both, few = make_variant(sku="BOTH"), make_variant(sku="FEW", stock=3)
    account = make_cart((both, 1), (few, 2), caller=caller_of(user))
    guest = make_cart((both, 2), (few, 2))
    mine = gql.signed_in(user)
    merged = mine(MERGE, cartId=cart_id(guest))["cartMerge"]
    assert merged == {
        "cart": {
            "id": cart_id(account),
            "itemCount": 6,
            "lines": [{"quantity": 3, "variant": {"sku": "BOTH"}}, {"quantity": 3, "variant": {"sku": "FEW"}}],
        },
        "replayed": False,
        "outcomes": [
            {
                "variant": {"sku": "BOTH"},
                "outcome": "SUMMED",
                "guestQuantity": 2,
                "accountQuantity": 1,
                "finalQuantity": 3,
            },
            {
                "variant": {"sku": "FEW"},
                "outcome": "CLIPPED_TO_STOCK",
                "guestQuantity": 2,
                "accountQuantity": 2,
                "finalQuantity": 3,
            },
        ],
        "userErrors": [],
    }
    assert mine(MERGE, cartId=cart_id(guest))["cartMerge"] == {**merged, "replayed": True}
    assert mine(MINE)["viewer"]["cart"] == merged["cart"]


def test_carts_that_cannot_be_taken_look_alike(gql: Gql, user: User) -> None:
    foreign = make_cart((make_variant(), 1), caller=make_customer())
    before = row_of(foreign)
    mine = gql.signed_in(user)
    ids = [cart_id(foreign), "nonsense", "", encode("Cart", user.pk), encode("Order", foreign.pk)]
    told = [mine(MERGE, cartId=each)["cartMerge"]["userErrors"] for each in ids]
    assert {(each["code"], *each["field"]) for [each] in told} == {("NOT_FOUND", "input", "cartId")}
    assert row_of(foreign) == before


def test_guests_merge_nothing(gql: Gql) -> None:
    guest = make_cart((make_variant(), 1))
    before = row_of(guest)
    assert gql(MERGE, cartId=cart_id(guest)).codes == ["UNAUTHENTICATED"]
    assert row_of(guest) == before


def test_the_guests_cart_joins_at_sign_in(gql: Gql) -> None:
    make_user("ada@example.com")
    guest = make_cart((make_variant(sku="MUG"), 2))
    payload = gql(SIGN_IN, login="ada@example.com", cartId=cart_id(guest))["tokenCreate"]
    assert payload["userErrors"] == []
    assert payload["cartMerge"]["outcomes"][0]["outcome"] == "MOVED"
    assert payload["cartMerge"]["cart"]["lines"] == [{"quantity": 2, "variant": {"sku": "MUG"}}]
    assert Gql(payload["accessToken"])(MINE)["viewer"]["cart"] == payload["cartMerge"]["cart"]
    again = gql(SIGN_IN, login="ada@example.com", cartId=cart_id(guest))["tokenCreate"]["cartMerge"]
    assert again == {**payload["cartMerge"], "replayed": True}


@pytest.mark.parametrize("sent", [None, "nonsense", "", "foreign"])
def test_signing_in_never_depends_on_the_cart(gql: Gql, sent: str | None) -> None:
    make_user("ada@example.com")
    foreign = make_cart((make_variant(), 1), caller=make_customer())
    before = row_of(foreign)
    payload = gql(SIGN_IN, login="ada@example.com", cartId=cart_id(foreign) if sent == "foreign" else sent)
    assert payload["tokenCreate"]["accessToken"]
    assert payload["tokenCreate"]["cartMerge"] is None
    assert row_of(foreign) == before


def test_signing_in_works_even_if_the_merge_breaks(
    gql: Gql, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller, variant = caller_of(make_user("ada@example.com")), make_variant()
    account, guest = make_cart((variant, 1), caller=caller), make_cart((variant, 2))
    before = row_of(account), row_of(guest)

    def broken(*_: Any) -> None:
        account.lines.create(variant=variant, quantity=1, seen_price=1)

    monkeypatch.setattr(merging, "_join", broken)
    payload = gql(SIGN_IN, login="ada@example.com", cartId=cart_id(guest))["tokenCreate"]
    assert payload["accessToken"]
    assert (payload["cartMerge"], payload["userErrors"]) == (None, [])
    assert (row_of(account), row_of(guest)) == before
    assert "could not be merged at login" in caplog.text
    monkeypatch.undo()
    mended = Gql(payload["accessToken"])(MERGE, cartId=cart_id(guest))["cartMerge"]
    assert mended["cart"]["itemCount"] == 3


def test_a_wrong_password_takes_no_cart(gql: Gql) -> None:
    make_user("ada@example.com")
    guest = make_cart((make_variant(), 1))
    before = row_of(guest)
    wrong = SIGN_IN.replace(PASSWORD, "wrong")
    assert gql(wrong, login="ada@example.com", cartId=cart_id(guest))["tokenCreate"]["accessToken"] is None
    assert row_of(guest) == before


def test_the_number_of_statements_does_not_grow_with_the_lines(gql: Gql, user: User) -> None:
    statements = []
    for size in (1, 8):
        customer = make_user(password=None)
        mine = gql.signed_in(customer)
        make_cart((make_product().variants.get(), 1), caller=caller_of(customer))
        guest = make_cart(*[(make_product().variants.get(), 1) for _ in range(size)])
        mine(MINE)
        statements.append((mine(MERGE, cartId=cart_id(guest)).statements, mine(MINE).statements))
    assert statements[0] == statements[1]


REGISTER = f"""mutation ($input: UserRegisterInput!) {{ userRegister(input: $input) {{
  accessToken cartMerge {{ {LINES} {OUTCOMES} }} userErrors {{ code }} }} }}"""


def test_the_guests_cart_joins_at_registration(gql: Gql) -> None:
    guest = make_cart((make_variant(sku="MUG"), 2))
    sent = {"email": "new@example.com", "password": PASSWORD, "cartId": cart_id(guest)}
    payload = gql(REGISTER, input=sent)["userRegister"]
    assert payload["userErrors"] == []
    assert payload["cartMerge"]["cart"]["lines"] == [{"quantity": 2, "variant": {"sku": "MUG"}}]
    assert Gql(payload["accessToken"])(MINE)["viewer"]["cart"] == payload["cartMerge"]["cart"]


def test_a_refused_registration_takes_no_cart_and_a_cart_that_cannot_be_taken_refuses_none(gql: Gql) -> None:
    guest, foreign = make_cart((make_variant(), 2)), make_cart((make_variant(), 1), caller=make_customer())
    before = row_of(guest), row_of(foreign)
    sent = {"email": "new@example.com", "password": "short", "cartId": cart_id(guest)}
    assert gql(REGISTER, input=sent)["userRegister"]["accessToken"] is None
    for n, key in enumerate([cart_id(foreign), "nonsense"]):
        sent = {"email": f"new{n}@example.com", "password": PASSWORD, "cartId": key}
        payload = gql(REGISTER, input=sent)["userRegister"]
        assert payload["accessToken"]
        assert payload["cartMerge"] is None
    assert (row_of(guest), row_of(foreign)) == before
