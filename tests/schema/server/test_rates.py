"""How many operations a minute somebody may run, by what they are."""

from typing import Any

import pytest

from backend.accounts import services
from backend.core.caller import GUEST, Caller, Role
from schema.server import persisted_store, rates
from tests.factories.accounts import make_user
from tests.schema.server.sockets import converse, subscribe

ASK = {"query": "{ __typename }"}


@pytest.fixture(autouse=True)
def limits(settings: Any) -> dict[str, int]:
    settings.OPERATIONS_PER_MINUTE = {"anonymous": 2, "customer": 3, "vendor": 4, "staff": 5}
    return dict(settings.OPERATIONS_PER_MINUTE)


def post(http: Any, token: str | None = None, **headers: str) -> Any:
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return http("POST", "/graphql", json=ASK, headers=headers)


def passed(http: Any, token: str | None, most: int = 10) -> int:
    """How many operations are answered before one is refused."""
    for number in range(most):
        if post(http, token).status_code == 429:
            return number
    return most


def test_each_kind_of_caller_has_a_limit_of_its_own(http: Any, limits: dict[str, int]) -> None:
    people = {
        "customer": make_user(),
        "vendor": make_user(role=Role.VENDOR),
        "staff": make_user(role=Role.ORDER_MANAGER),
    }
    tokens = {name: services.open_session(user=user).access for name, user in people.items()}
    found = {name: passed(http, tokens.get(name)) for name in limits}
    assert found == limits


def test_a_refusal_tells_when_to_come_again(http: Any) -> None:
    post(http)
    post(http)
    answer = post(http)
    [error] = answer.json()["errors"]
    assert answer.json()["data"] is None
    assert answer.status_code == 429
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfter"] <= 60
    assert answer.headers["retry-after"] == str(error["extensions"]["retryAfter"])
    assert post(http, accept="application/graphql-response+json").status_code == 429


def test_two_devices_of_one_person_share_a_limit_and_two_people_do_not(http: Any, limits: dict[str, int]) -> None:
    one, other = make_user(), make_user()
    assert passed(http, services.open_session(user=one).access, 2) == 2
    assert passed(http, services.open_session(user=one).access) == limits["customer"] - 2
    assert passed(http, services.open_session(user=other).access) == limits["customer"]


def test_a_mutation_over_the_limit_is_not_run(http: Any) -> None:
    from backend.carts.models import Cart

    body = {"query": "mutation { cartCreate(input: {}) { cart { id } } }"}
    codes = [http("POST", "/graphql", json=body).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    assert Cart.objects.count() == 2


def test_streams_and_sockets_are_counted_too(http: Any) -> None:
    post(http)
    post(http)
    answer = post(http, accept="text/event-stream")
    assert answer.status_code == 200
    assert "RATE_LIMITED" in answer.text
    heard = converse(*(subscribe(ASK, str(number)) for number in range(3)), answers=5)
    [refused] = [each for each in heard if each["type"] == "error"]
    assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_who_is_not_named_may_run_any_number_and_off_costs_nothing(http: Any, settings: Any, monkeypatch: Any) -> None:
    asked: list[Any] = []

    async def ask(*command: Any) -> Any:
        asked.append(command)

    settings.OPERATIONS_PER_MINUTE = {"staff": 1}
    assert passed(http, None) == 10
    settings.OPERATIONS_PER_MINUTE = {}
    monkeypatch.setattr(persisted_store.store, "ask", ask)
    assert passed(http, None) == 10
    assert asked == []


@pytest.mark.usefixtures("new_process")
def test_while_redis_is_away_each_process_counts(http: Any, monkeypatch: Any) -> None:
    async def away(*command: Any) -> Any:
        raise persisted_store.Away

    monkeypatch.setattr(persisted_store.store, "ask", away)
    rates._in_process.storage.reset()
    assert passed(http, None) == 2


def test_kinds() -> None:
    def of(*roles: Role, superuser: bool = False) -> str:
        return rates.kind_of(Caller(1, roles=frozenset({Role.CUSTOMER, *roles}), is_superuser=superuser))

    assert rates.kind_of(GUEST) == "anonymous"
    assert [of(), of(Role.VENDOR), of(Role.VENDOR, Role.SUPPORT), of(superuser=True)] == [
        "customer",
        "vendor",
        "staff",
        "staff",
    ]
