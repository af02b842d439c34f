"""The list of everybody with an account, for support and admins."""

import pytest

from backend.accounts.models import User
from backend.accounts.personal import erase
from backend.core.caller import Role
from backend.core.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import caller_of, make_user
from tests.factories.orders import make_order

CUSTOMERS = """query ($first: Int, $after: String, $query: String) {
  customers(first: $first, after: $after, query: $query) { totalCount pageInfo { hasNextPage endCursor }
  nodes { id email firstName lastName roles ordersCount createdAt } } }"""


@pytest.fixture
def support(gql: Gql) -> Gql:
    return gql.signed_in(make_user("support@example.com", role=Role.SUPPORT, password=None))


def emails(ask: Gql, **variables: object) -> list[str]:
    return [node["email"] for node in ask(CUSTOMERS, **variables)["customers"]["nodes"]]


def make_people(*addresses: str) -> list[User]:
    return [make_user(each, password=None) for each in addresses]


def test_support_sees_everybody_page_by_page_the_newest_first(support: Gql) -> None:
    make_people("a@example.com", "b@example.com", "c@example.com")
    first = support(CUSTOMERS, first=2)["customers"]
    assert [each["email"] for each in first["nodes"]] == ["c@example.com", "b@example.com"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    assert emails(support, after=first["pageInfo"]["endCursor"]) == ["a@example.com", "support@example.com"]


def test_orders_are_counted_for_those_who_may_see_them(support: Gql, gql: Gql) -> None:
    [user] = make_people("a@example.com")
    make_order(caller=caller_of(user))
    make_order(caller=caller_of(user))
    [shown] = support(CUSTOMERS, query="a@example.com")["customers"]["nodes"]
    assert shown["ordersCount"] == 2
    assert shown["roles"] == ["CUSTOMER"]
    assert gql.signed_in(user)("{ viewer { ordersCount } }")["viewer"] == {"ordersCount": 2}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("LOVE", ["ada@example.com"]),
        ("ada lovelace", ["ada@example.com"]),
        ("lovelace  ADA@", ["ada@example.com"]),
        ("countess", ["ada@example.com"]),
        ("ada nobody", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("' OR 1=1 --", []),
        ("\N{SNOWMAN}", []),
    ],
)
def test_people_are_found_by_words_of_email_and_names(support: Gql, query: str, found: list[str]) -> None:
    make_user("ada@example.com", password=None, first_name="Ada", last_name="Lovelace", username="countess")
    make_people("grace@example.com")
    assert emails(support, query=query) == found


@pytest.mark.parametrize("query", ["x" * 101, "a\x00b"])
def test_hostile_searches_are_refused(support: Gql, query: str) -> None:
    assert support(CUSTOMERS, query=query).codes == ["BAD_USER_INPUT"]


def test_a_cursor_that_is_none_of_ours_is_refused(support: Gql) -> None:
    assert support(CUSTOMERS, after="nonsense").codes == ["BAD_USER_INPUT"]
    assert support(CUSTOMERS, first=-1).codes == ["BAD_USER_INPUT"]


def test_who_has_left_is_not_listed(support: Gql) -> None:
    [user] = make_people("a@example.com")
    erase(user.pk)
    assert emails(support) == ["support@example.com"]


@pytest.mark.parametrize("role", [None, Role.VENDOR, Role.PRODUCT_MANAGER, Role.ORDER_MANAGER])
def test_others_do_not_see_who_else_is_there(gql: Gql, role: Role | None) -> None:
    ask = gql.signed_in(make_user(role=role, password=None))
    [other] = make_people("a@example.com")
    assert ask(CUSTOMERS).codes == ["FORBIDDEN"]
    assert gql(CUSTOMERS).codes == ["UNAUTHENTICATED"]
    assert ask("query ($id: ID!) { node(id: $id) { id } }", id=encode("User", other.pk))["node"] is None


def test_the_number_of_statements_does_not_grow_with_the_page(support: Gql) -> None:
    def statements() -> int:
        return support(CUSTOMERS, first=50).statements

    statements()
    make_people("a@example.com")
    few = statements()
    make_people(*(f"user{number}@example.net" for number in range(20)))
    assert statements() == few
