"""A customer's orders: all of them, theirs alone, without tokens."""

from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import User
from backend.core import clock
from backend.orders.models import Order
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import caller_of, make_user
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order, make_paid_order

ORDERS = """query ($first: Int, $after: String, $last: Int, $before: String, $statuses: [OrderStatus!]) {
  viewer { orders(first: $first, after: $after, last: $last, before: $before, statuses: $statuses) {
    totalCount nodes { id number status paymentStatus fulfillmentStatus placedAt
      totals { total { amount currency formatted } } lines { sku } }
    pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }"""
BY_NUMBER = "query ($number: String!) { viewer { order(number: $number) { id number status } } }"
BY_ID = "query ($id: ID!) { order(id: $id) { number } node(id: $id) { ... on Order { number } } }"
CLAIM = "mutation { ordersClaim { claimedCount userErrors { code field } } }"


@pytest.fixture
def user(db: None) -> User:
    return make_user(password=None)


def place(user: User, **sent: Any) -> Order:
    return make_order(caller=caller_of(user), **sent)


def numbers(page: Any) -> list[str]:
    return [each["number"] for each in page["viewer"]["orders"]["nodes"]]


def test_an_order_placed_while_signed_in_is_among_the_customers_and_nobody_elses(gql: Gql, user: User) -> None:
    document = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
      order { id number } userErrors { code field } } }"""
    line = {"variantId": encode("ProductVariant", make_variant(requires_shipping=False).pk)}
    sent = {"lines": [line], "email": "any@example.com", "idempotencyKey": str(uuid4())}
    mine, theirs = gql.signed_in(user), gql.signed_in(make_user(password=None))
    order = mine(document, input=sent)["orderPlace"]["order"]
    assert numbers(mine(ORDERS)) == [order["number"]]
    assert mine(BY_NUMBER, number=order["number"])["viewer"]["order"]["id"] == order["id"]
    assert mine(BY_ID, id=order["id"]).data == {
        "order": {"number": order["number"]},
        "node": {"number": order["number"]},
    }
    assert numbers(theirs(ORDERS)) == []
    for door in (theirs, gql):
        assert door(BY_ID, id=order["id"]).data == {"order": None, "node": None}


def test_a_customer_pays_and_watches_an_order_without_a_token_and_nobody_else_does(gql: Gql, user: User) -> None:
    order = place(user)
    start = """mutation ($input: PaymentStartInput!) { paymentStart(input: $input) {
      payment { id status } userErrors { code } } }"""
    verify = """mutation ($id: ID!) { paymentVerify(input: { paymentId: $id }) {
      payment { id } userErrors { code } } }"""
    sent = {"orderId": encode("Order", order.pk), "gateway": "sandbox", "returnUrl": "https://shop.example/thanks"}
    mine, theirs = gql.signed_in(user), gql.signed_in(make_user(password=None))
    for door in (theirs, gql):
        refused = door(start, input={**sent, "idempotencyKey": str(uuid4())})["paymentStart"]
        assert (refused["payment"], refused["userErrors"]) == (None, [{"code": "NOT_FOUND"}])
    payment = mine(start, input={**sent, "idempotencyKey": str(uuid4())})["paymentStart"]["payment"]
    assert mine(verify, id=payment["id"])["paymentVerify"]["payment"]["id"] == payment["id"]
    for door in (theirs, gql):
        assert door(verify, id=payment["id"])["paymentVerify"]["userErrors"] == [{"code": "NOT_FOUND"}]


def test_a_number_that_is_not_mine_looks_like_none(gql: Gql, user: User) -> None:
    foreign, guests = place(make_user(password=None)), make_order()
    mine = gql.signed_in(user)
    for number in (foreign.number, guests.number, "CG-0", "", "x" * 10_000, "\x00", "'; DROP TABLE"):
        assert mine(BY_NUMBER, number=number)["viewer"]["order"] is None
    assert gql(BY_NUMBER, number=foreign.number).codes == ["UNAUTHENTICATED"]
    assert gql(ORDERS).codes == ["UNAUTHENTICATED"]


def test_pages_go_through_all_orders_newest_first_and_back(gql: Gql, user: User) -> None:
    placed = []
    for n in range(5):
        placed.append(place(user).number)
        if n % 2:
            clock.move_offset(60)  # some at nearly the same moment
    newest = placed[::-1]
    mine = gql.signed_in(user)
    first = mine(ORDERS, first=2)
    page = first["viewer"]["orders"]
    assert (numbers(first), page["totalCount"], page["pageInfo"]["hasNextPage"]) == (newest[:2], 5, True)
    place(user)  # while somebody pages
    second = mine(ORDERS, first=2, after=page["pageInfo"]["endCursor"])
    assert numbers(second) == newest[2:4]
    third = mine(ORDERS, first=2, after=second["viewer"]["orders"]["pageInfo"]["endCursor"])
    assert numbers(third) == newest[4:]
    assert third["viewer"]["orders"]["pageInfo"]["hasNextPage"] is False
    back = mine(ORDERS, last=2, before=third["viewer"]["orders"]["pageInfo"]["startCursor"])
    assert numbers(back) == newest[2:4]


@pytest.mark.parametrize(
    "sent",
    [
        {"first": -1},
        {"after": "nonsense"},
        {"after": "WyJuZXdlc3QiLCIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiw1XQ"},  # an integer for an id
        {"after": "WyJuZXdlc3QiLCIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwieCJd"},  # a text that is no UUID
        {"statuses": ["SPILLED"]},
    ],
)
def test_bad_pages_are_refused(gql: Gql, user: User, sent: dict[str, Any]) -> None:
    place(user)
    assert gql.signed_in(user)(ORDERS, **sent).codes == ["BAD_USER_INPUT"]


def test_orders_are_found_by_where_they_stand(gql: Gql, user: User) -> None:
    waiting, paid = place(user), make_paid_order(caller=caller_of(user))
    mine = gql.signed_in(user)
    assert numbers(mine(ORDERS, statuses=["PAID"])) == [paid.number]
    assert numbers(mine(ORDERS, statuses=["PENDING_PAYMENT"])) == [waiting.number]
    assert numbers(mine(ORDERS, statuses=["PAID", "PENDING_PAYMENT"])) == [paid.number, waiting.number]
    assert numbers(mine(ORDERS, statuses=["SHIPPED"])) == []
    assert numbers(mine(ORDERS, statuses=[])) == [paid.number, waiting.number]
    assert mine(ORDERS, statuses=["PAID"])["viewer"]["orders"]["totalCount"] == 1


def test_guests_orders_are_claimed_by_the_verified_address(gql: Gql) -> None:
    user = make_user("ada@example.com", password=None)
    order = make_order(email="Ada@Example.com")
    mine = gql.signed_in(user)
    count = "{ viewer { claimableOrderCount } }"
    assert mine(count)["viewer"]["claimableOrderCount"] == 0
    assert mine(CLAIM)["ordersClaim"] == {"claimedCount": 0, "userErrors": [{"code": "FORBIDDEN", "field": None}]}
    assert gql(CLAIM).codes == ["UNAUTHENTICATED"]
    User.objects.filter(pk=user.pk).update(email_verified_at=clock.now())
    assert mine(count)["viewer"]["claimableOrderCount"] == 1
    assert mine(CLAIM)["ordersClaim"] == {"claimedCount": 1, "userErrors": []}
    assert mine(CLAIM)["ordersClaim"] == {"claimedCount": 0, "userErrors": []}
    assert numbers(mine(ORDERS)) == [order.number]


def test_the_number_of_statements_does_not_grow_with_the_orders(gql: Gql, user: User) -> None:
    statements = []
    for more in (1, 12):
        for _ in range(more):
            place(user)
        mine = gql.signed_in(user)
        mine(ORDERS)
        statements.append(mine(ORDERS, first=20).statements)
    assert statements[0] == statements[1] <= 5
