"""tokenCreate, viewer, and what a token opens."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from backend.accounts import services
from backend.accounts.errors import InvalidCredentials
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Customer, RefreshToken, Session, User
from backend.core.caller import Role
from backend.core.demo import DEMO_PASSWORD, DEMO_USERS
from backend.transfer.demo.people import invite_people
from schema.accounts import mutations
from schema.server import db
from tests.conftest import Gql, connection_of_test, request
from tests.factories.accounts import PASSWORD, make_user
from tests.schema.accounts.documents import SIGN_IN, VIEWER


def sign_in(gql: Gql, login: str, password: str = PASSWORD) -> Any:
    return gql(SIGN_IN, login=login, password=password)["tokenCreate"]


@pytest.mark.parametrize("login", ["ada@example.com", "ADA@Example.COM", " ada@example.com ", "countess", "COUNTESS\t"])
def test_email_or_username_signs_in_without_regard_to_case(gql: Gql, login: str) -> None:
    user = make_user("Ada@example.com", username="Countess", first_name="Ada")
    payload = sign_in(gql, login)
    assert payload["userErrors"] == []
    assert payload["user"]["email"] == "Ada@example.com"
    assert payload["user"]["roles"] == ["CUSTOMER"]
    mine = Gql(payload["accessToken"])(VIEWER)["viewer"]
    assert mine["email"] == "Ada@example.com"
    assert mine["customer"] is not None
    user.refresh_from_db()
    assert user.last_login is not None


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("ada@example.com", ""),
        ("", PASSWORD),
        ("ada@example.com\x00", PASSWORD),
        ("ada@example.com", PASSWORD + "\x00"),
        ("ada@example.com", PASSWORD * 5000),
        ("a" * 100_000, PASSWORD),
        ("adа@example.com", PASSWORD),  # noqa: RUF001 - a Cyrillic letter
        ("off@example.com", PASSWORD),
        ("social@example.com", ""),
    ],
)
def test_what_is_wrong_is_refused_alike_and_leaves_nothing(gql: Gql, login: str, password: str) -> None:
    make_user("ada@example.com")
    make_user("off@example.com", is_active=False)
    make_user("social@example.com", password=None)
    payload = sign_in(gql, login, password)
    assert payload["accessToken"] is None
    assert payload["user"] is None
    [error] = payload["userErrors"]
    assert error == {"code": "INVALID_CREDENTIALS", "message": "Login or password is wrong.", "field": None}
    assert not Session.objects.exists()


def test_dotless_i_is_not_i(gql: Gql) -> None:
    make_user("mike@example.com")
    assert sign_in(gql, "m\u0131ke@example.com")["userErrors"][0]["code"] == "INVALID_CREDENTIALS"


def test_a_long_password_is_not_cut(gql: Gql) -> None:
    make_user("ada@example.com", password="x" * 1000)
    assert sign_in(gql, "ada@example.com", "x" * 999)["accessToken"] is None
    assert sign_in(gql, "ada@example.com", "x" * 1000)["accessToken"] is not None


def test_nobody_and_a_wrong_password_go_the_same_way(gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are compared with a hash, once."""
    from backend.accounts.services import credentials

    compared: list[bool] = []
    check = credentials.check_hash
    monkeypatch.setattr(credentials, "check_hash", lambda *given: compared.append(True) or check(*given))
    make_user("ada@example.com")
    sign_in(gql, "ada@example.com", "wrong")
    sign_in(gql, "nobody@example.com", "wrong")
    sign_in(gql, "nobody", "wrong")
    assert len(compared) == 3
    assert sign_in(gql, "ada@example.com", "x" * 1025)["accessToken"] is None  # hashing a megabyte costs what one likes
    assert len(compared) == 3


def while_it_is_compared(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have something happen once, right after a password was found right."""
    things = [happens]
    check = services.check_password

    def slow(*given: Any) -> Any:
        proof = check(*given)
        if things:
            things.pop()()
        return proof

    monkeypatch.setattr(services, "check_password", slow)


def test_a_password_that_was_changed_meanwhile_opens_nothing(gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user("ada@example.com")

    def reset() -> None:
        services.reset_password(token=PASSWORD_LINK.token(user), new_hash=services.hash_password("an0ther-horse"))

    while_it_is_compared(monkeypatch, reset)
    payload = sign_in(gql, "ada@example.com")
    assert [each["code"] for each in payload["userErrors"]] == ["INVALID_CREDENTIALS"]
    assert payload["accessToken"] is None
    assert Session.objects.count() == 1  # of who has reset it


def test_an_outdated_hash_is_renewed_even_by_two_at_once(
    gql: Gql, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("ada@example.com")
    lean, old = "backend.core.hashers.LeanArgon2PasswordHasher", user.password
    settings.PASSWORD_HASHERS = [lean, *settings.PASSWORD_HASHERS]

    def other() -> None:
        candidate = services.find_candidate(login="ada@example.com")
        services.sign_in(candidate=candidate, proof=services.check_password(candidate, PASSWORD))

    while_it_is_compared(monkeypatch, other)
    assert sign_in(gql, "ada@example.com")["userErrors"] == []
    user.refresh_from_db()
    assert old.startswith("md5$")
    assert user.password.startswith("argon2$")
    assert Session.objects.count() == 2
    assert sign_in(gql, "ada@example.com", "wrong")["accessToken"] is None


def test_secrets_are_stored_as_hashes(gql: Gql) -> None:
    make_user("ada@example.com")
    payload = sign_in(gql, "ada@example.com")
    [token] = RefreshToken.objects.all()
    assert payload["refreshToken"] not in (token.token, token.nonce)
    assert len(payload["refreshToken"]) >= 43


@pytest.mark.parametrize("person", DEMO_USERS, ids=lambda person: person.role)
def test_people_of_the_demo_shop_sign_in(gql: Gql, person: Any) -> None:
    invite_people()
    payload = sign_in(gql, person.email, DEMO_PASSWORD)
    role = person.role.upper().replace(" ", "_")
    assert payload["user"]["roles"] == sorted({"CUSTOMER", role})


def test_a_guest_has_no_viewer(gql: Gql) -> None:
    answer = gql("{ viewer { id } shop { name } }")
    assert answer.data["viewer"] is None
    assert answer.data["shop"] is not None
    assert answer.codes == ["UNAUTHENTICATED"]


def test_who_asks_for_the_id_alone_costs_no_statement(gql: Gql) -> None:
    mine = gql.signed_in(make_user())
    mine("{ viewer { id } }")
    assert mine("{ viewer { id } }").statements == 0
    assert mine("{ viewer { id email firstName lastName phone emailVerified } }").statements == 1


def test_roles_open_what_their_groups_may(gql: Gql) -> None:
    mine = gql.signed_in(make_user(role=Role.ORDER_MANAGER))(VIEWER)["viewer"]
    assert mine["roles"] == ["CUSTOMER", "ORDER_MANAGER"]
    assert "orders.change_order" in mine["permissions"]
    assert "catalog.change_product" not in mine["permissions"]


def test_somebody_else_is_found_by_id_only_by_who_may_see_users(gql: Gql) -> None:
    other = make_user("other@example.com")
    node = gql.signed_in(other)("{ viewer { id } }")["viewer"]["id"]
    ask = "query ($id: ID!) { node(id: $id) { id ... on User { email sessions { id } } } }"
    assert gql(ask, id=node)["node"] is None
    assert gql.signed_in(make_user())(ask, id=node)["node"] is None
    seen = gql.signed_in(make_user(role=Role.SUPPORT))(ask, id=node)
    assert seen.codes == ["FORBIDDEN"]
    assert gql.signed_in(other)(ask, id=node)["node"]["email"] == "other@example.com"


@pytest.mark.django_db
def test_everybody_gets_a_profile_however_they_are_made() -> None:
    User.objects.create_user("a@example.com")
    User.objects.create_superuser("b@example.com", "secret")
    User.objects.create(email="c@example.com")
    user = User(email="d@example.com")
    user.save()
    user.save()
    assert Customer.objects.count() == 4


def test_few_passwords_are_looked_at_at_once(gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for something else meanwhile does not wait behind a thousand who sign in."""
    inside, most = 0, 0

    async def sign_in(*_: Any) -> Any:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        await asyncio.sleep(0)
        inside -= 1
        raise InvalidCredentials

    async def ask_often() -> list[Any]:
        asked = {"query": SIGN_IN, "variables": {"login": "ada@example.com", "password": "x"}}
        connection = connection_of_test()
        return await asyncio.gather(*(request(connection, "POST", "/graphql", json=asked) for _ in range(12)))

    monkeypatch.setattr(mutations, "_sign_in", sign_in)
    monkeypatch.setattr(db, "_passwords", asyncio.Semaphore(3))
    answers = asyncio.run(ask_often())
    payloads = [each.json()["data"]["tokenCreate"] for each in answers]
    assert all(payload["userErrors"][0]["code"] == "INVALID_CREDENTIALS" for payload in payloads)
    assert most == 3
