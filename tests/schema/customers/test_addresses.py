"""The address book through the API: as its owner, as somebody else, as a guest."""

from dataclasses import asdict
from typing import Any

import pytest

from backend.accounts.address_book import create_address
from backend.accounts.models import SavedAddress, User
from backend.core.addresses import camel
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import caller_of, make_user
from tests.factories.carts import ADDRESS, make_cart

SENT = {camel(name): value for name, value in asdict(ADDRESS).items()}
FIELDS = """
id kind isDefaultShipping isDefaultBilling firstName lastName company line1 line2 city region postalCode country phone
"""
MINE = f"{{ viewer {{ addresses {{ {FIELDS} }} }} }}"
PAYLOAD = f"{{ address {{ {FIELDS} }} userErrors {{ code message field }} }}"
CREATE = f"mutation ($input: AddressCreateInput!) {{ addressCreate(input: $input) {PAYLOAD} }}"
UPDATE = f"mutation ($input: AddressUpdateInput!) {{ addressUpdate(input: $input) {PAYLOAD} }}"
DEFAULT = f"mutation ($input: AddressSetDefaultInput!) {{ addressSetDefault(input: $input) {PAYLOAD} }}"
DELETE = """mutation ($input: AddressDeleteInput!) {
  addressDelete(input: $input) { deletedId userErrors { code message field } } }"""


@pytest.fixture
def user(db: None) -> User:
    return make_user(password=None)


@pytest.fixture
def mine(gql: Gql, user: User) -> Gql:
    return gql.signed_in(user)


def keep(user: User) -> SavedAddress:
    return create_address(caller=caller_of(user), address=ADDRESS)


def key(saved: SavedAddress) -> str:
    return encode("SavedAddress", saved.pk)


def rows() -> list[dict[str, Any]]:
    return list(SavedAddress.objects.order_by("pk").values())


def test_addresses_are_kept_changed_made_default_and_forgotten(mine: Gql) -> None:
    sent = {"address": {**SENT, "postalCode": "sw1y 4jh", "phone": "020 7946 0018"}, "kind": "WORK"}
    made = mine(CREATE, input=sent)["addressCreate"]
    assert made["userErrors"] == []
    first = made["address"]
    assert (first["kind"], first["postalCode"], first["phone"]) == ("WORK", "SW1Y 4JH", "+442079460018")
    assert (first["isDefaultShipping"], first["isDefaultBilling"]) == (True, True)
    second = mine(CREATE, input={"address": SENT})["addressCreate"]["address"]
    assert (second["kind"], second["isDefaultShipping"]) == ("HOME", False)
    changed = mine(DEFAULT, input={"id": second["id"], "shipping": True})["addressSetDefault"]["address"]
    assert (changed["isDefaultShipping"], changed["isDefaultBilling"]) == (True, False)
    moved = mine(UPDATE, input={"id": second["id"], "address": {**SENT, "city": "Leeds"}})["addressUpdate"]["address"]
    assert moved == {**changed, "city": "Leeds"}
    [one, two] = mine(MINE)["viewer"]["addresses"]
    assert (one, two) == ({**first, "isDefaultShipping": False}, moved)
    assert mine(DELETE, input={"id": first["id"]})["addressDelete"] == {"deletedId": first["id"], "userErrors": []}
    assert mine(MINE)["viewer"]["addresses"] == [moved]


@pytest.mark.parametrize(
    ("part", "value", "code"),
    [
        ("postalCode", "62701", "INVALID"),
        ("postalCode", None, "REQUIRED"),
        ("phone", "call me", "INVALID"),
        ("line1", "", "REQUIRED"),
        ("city", "\x00", "INVALID"),
        ("lastName", "x" * 201, "INVALID"),
        ("country", "XX", "INVALID"),
    ],
)
def test_an_address_at_fault_names_its_part_and_nothing_is_written(
    mine: Gql, user: User, part: str, value: str | None, code: str
) -> None:
    saved = keep(user)
    before = rows()
    for document, more in ((CREATE, {}), (UPDATE, {"id": key(saved)})):
        [payload] = mine(document, input={"address": {**SENT, part: value}, **more}).data.values()
        assert payload["address"] is None
        assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [(code, ["input", "address", part])]
    assert rows() == before


def test_everything_at_fault_is_told_at_once(mine: Gql) -> None:
    errors = mine(CREATE, input={"address": {}})["addressCreate"]["userErrors"]
    assert [each["field"][-1] for each in errors] == ["firstName", "lastName", "line1", "city", "country"]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    (UPDATE, {"address": SENT, "kind": "OTHER"}),
    (DEFAULT, {"shipping": True, "billing": True}),
    (DELETE, {}),
]


@pytest.mark.parametrize(("document", "more"), CHANGES)
def test_somebody_elses_looks_like_none_and_stays(gql: Gql, user: User, document: str, more: dict[str, Any]) -> None:
    saved, other = keep(user), make_user(password=None)
    keep(other)
    before = rows()
    theirs = gql.signed_in(other)
    ids = [key(saved), encode("SavedAddress", 10**9), encode("Cart", saved.pk), "nonsense", ""]
    told = [theirs(document, input={"id": each, **more}).data for each in ids]
    assert all(each == told[0] for each in told)
    [payload] = told[0].values()
    assert [(each["code"], each["field"]) for each in payload["userErrors"]] == [("NOT_FOUND", ["input", "id"])]
    assert rows() == before
    node = "query ($id: ID!) { node(id: $id) { ... on SavedAddress { city } } }"
    assert theirs(node, id=key(saved))["node"] is None
    assert gql(node, id=key(saved))["node"] is None
    assert gql.signed_in(user)(node, id=key(saved))["node"] == {"city": "London"}


@pytest.mark.parametrize(("document", "more"), [*CHANGES, (CREATE, {"address": SENT})])
def test_guests_have_no_address_book(gql: Gql, user: User, document: str, more: dict[str, Any]) -> None:
    saved = keep(user)
    before = rows()
    sent = more if document == CREATE else {"id": key(saved), **more}
    assert gql(document, input=sent).codes == ["UNAUTHENTICATED"]
    assert rows() == before


def test_deleting_twice_is_told(mine: Gql, user: User) -> None:
    saved = keep(user)
    mine(DELETE, input={"id": key(saved)})
    again = mine(DELETE, input={"id": key(saved)})["addressDelete"]
    assert (again["deletedId"], again["userErrors"][0]["code"]) == (None, "NOT_FOUND")


def test_a_cart_takes_copies_of_kept_addresses(mine: Gql, user: User) -> None:
    saved = keep(user)
    cart = make_cart(caller=caller_of(user), shipping=None)
    document = """mutation ($input: CartAddressesUpdateInput!) { cartAddressesUpdate(input: $input) {
      cart { shippingAddress { city } billingAddress { city } } userErrors { code field } } }"""
    sent = {"cartId": encode("Cart", cart.pk), "shippingAddressId": key(saved), "billingAddressId": key(saved)}
    assert mine(document, input=sent)["cartAddressesUpdate"] == {
        "cart": {"shippingAddress": {"city": "London"}, "billingAddress": {"city": "London"}},
        "userErrors": [],
    }
    foreign = key(keep(make_user(password=None)))
    for name in ("shipping", "billing"):
        payload = mine(document, input={**sent, f"{name}AddressId": foreign})["cartAddressesUpdate"]
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", f"{name}AddressId"]}]
    both = mine(document, input={**sent, "shippingAddress": SENT})["cartAddressesUpdate"]
    assert both["userErrors"] == [{"code": "INVALID", "field": ["input", "shippingAddressId"]}]


def test_the_number_of_statements_does_not_grow_with_the_addresses(gql: Gql, user: User) -> None:
    statements = []
    for more in (1, 10):
        for _ in range(more):
            keep(user)
        mine = gql.signed_in(user)
        mine(MINE)
        statements.append(mine(MINE).statements)
    assert statements[0] == statements[1] <= 2
