"""What the shop's own people do with accounts of others."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from backend.accounts import services
from backend.accounts.models import Session, User
from backend.core import clock
from backend.core.caller import Role
from backend.core.ids import encode
from backend.core.models import OutboxEvent
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.schema.accounts.documents import DELETE
from tests.schema.accounts.mails import deliver

UPDATE = """mutation ($input: CustomerUpdateInput!) { customerUpdate(input: $input) {
  user { id firstName phone email emailVerified username customer { language } }
  userErrors { code message field } } }"""
ERASE = """mutation ($id: ID!) { customerErase(input: { userId: $id }) { deleted userErrors { code field } } }"""
WHO = "{ viewer { id } }"
LISTED = """{ customers(first: 5, query: "ada@") { nodes { email isActive } } }"""


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada@example.com", first_name="Ada", password=None, email_verified_at=clock.now())


@pytest.fixture
def clerk(db: None) -> User:
    """Somebody who may do just this."""
    user = make_user("clerk@example.com", role=Role.SUPPORT, password=None)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["change_user", "delete_user"]))
    return user


def update(gql: Gql, user: User, **given: Any) -> Any:
    return gql(UPDATE, input={"userId": encode("User", user.pk), **given})["customerUpdate"]


def erase(gql: Gql, user: User) -> Any:
    return gql(ERASE, id=encode("User", user.pk))["customerErase"]


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def told(topic: str) -> list[Any]:
    """What the events say, and of whom."""
    return [(event.key, event.data) for event in OutboxEvent.objects.filter(topic=topic).order_by("id")]


def test_who_changed_what_is_told_without_what_it_was_or_is(gql: Gql, ada: User, clerk: User) -> None:
    staff = gql.signed_in(clerk)
    given = {"firstName": "Augusta", "lastName": "", "email": "ada@new.example", "language": "DE"}
    for _ in range(2):
        update(staff, ada, **given)
    update(staff, ada, phone="+14155552671", username="countess", isActive=False)
    update(staff, ada, isActive=False)
    by = {"by": clerk.pk}
    assert told("user.changed") == [
        (str(ada.pk), {**by, "fields": ["first_name", "email", "language"]}),
        (str(ada.pk), {**by, "fields": ["phone", "username", "is_active"]}),
    ]


def test_who_erased_somebody_is_told(gql: Gql, ada: User, clerk: User) -> None:
    for _ in range(2):
        erase(gql.signed_in(clerk), ada)
    bob = make_user("bob@example.com")
    gql.signed_in(bob)(DELETE, password=PASSWORD)
    assert told("user.erased") == [(str(ada.pk), {"by": clerk.pk}), (str(bob.pk), {"by": bob.pk})]


def test_staff_change_what_a_customer_asks_for(gql: Gql, ada: User, clerk: User) -> None:
    given = {"firstName": "Augusta", "phone": "+14155552671", "username": "ada", "language": "DE"}
    changed = update(gql.signed_in(clerk), ada, **given, email="ada@new.example")["user"]
    assert changed == {
        "id": encode("User", ada.pk), "firstName": "Augusta", "phone": "+14155552671", "username": "ada",
        "email": "ada@new.example", "emailVerified": False, "customer": {"language": "de"},
    }  # fmt: skip
    [message] = deliver()
    assert message.to == ["ada@example.com"]
    assert update(gql.signed_in(clerk), ada, email="ada@new.example")["user"]["firstName"] == "Augusta"
    assert deliver() == []


def test_a_closed_account_is_signed_out_and_can_be_opened(gql: Gql, ada: User, clerk: User) -> None:
    hers, staff = gql.signed_in(ada), gql.signed_in(clerk)
    assert codes(update(staff, ada, isActive=False)) == []
    assert hers(WHO).codes == ["UNAUTHENTICATED"]
    assert staff(LISTED)["customers"]["nodes"] == [{"email": "ada@example.com", "isActive": False}]
    assert codes(update(staff, ada, isActive=False)) == []
    assert codes(update(staff, ada, isActive=True)) == []
    assert staff(LISTED)["customers"]["nodes"] == [{"email": "ada@example.com", "isActive": True}]
    assert hers(WHO).codes == ["UNAUTHENTICATED"]
    assert gql.signed_in(ada)(WHO).errors == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"email": "CLERK@example.com"}, "EMAIL_TAKEN", "email"),
        ({"email": "x\r\nBcc: y@example.com"}, "INVALID", "email"),
        ({"email": None}, "REQUIRED", "email"),
        ({"username": "a@b"}, "INVALID", "username"),
        ({"firstName": "a\nb"}, "INVALID", "firstName"),
        ({"phone": "x"}, "INVALID", "phone"),
    ],
)
def test_what_is_refused_changes_nothing(
    gql: Gql, ada: User, clerk: User, given: dict[str, Any], code: str, field: str
) -> None:
    [error] = update(gql.signed_in(clerk), ada, **{"lastName": "New", **given})["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", field])
    ada.refresh_from_db()
    assert (ada.email, ada.last_name) == ("ada@example.com", "")
    assert not OutboxEvent.objects.exists()


def test_an_account_with_more_rights_and_ones_own_are_left_alone(gql: Gql, clerk: User) -> None:
    staff = gql.signed_in(clerk)
    for user in (make_user(role=Role.ADMIN), make_user(is_superuser=True, is_active=False), clerk):
        assert codes(update(staff, user, firstName="New")) == ["FORBIDDEN"]
        assert codes(erase(staff, user)) == ["FORBIDDEN"]
        user.refresh_from_db()
        assert user.first_name == ""
    assert gql(UPDATE, input={"userId": "x"}).codes == ["UNAUTHENTICATED"]
    assert gql.signed_in(make_user(role=Role.SUPPORT))(ERASE, id="x").codes == ["FORBIDDEN"]
    for name in ("x", "", "\x00", encode("User", 0), encode("Cart", 1)):
        assert codes(staff(ERASE, id=name)["customerErase"]) == ["NOT_FOUND"]


def test_somebody_who_asks_for_it_is_forgotten_once(gql: Gql, ada: User, clerk: User) -> None:
    hers, staff = gql.signed_in(ada), gql.signed_in(clerk)
    assert erase(staff, ada) == {"deleted": True, "userErrors": []}
    assert hers(WHO).codes == ["UNAUTHENTICATED"]
    [message] = deliver()
    assert message.to == ["ada@example.com"]
    assert not User.objects.filter(email="ada@example.com").exists()
    assert not Session.objects.filter(user=ada).exists()
    assert codes(erase(staff, ada)) == ["NOT_FOUND"]
    assert codes(update(staff, ada, isActive=True)) == ["NOT_FOUND"]


def test_an_admin_closes_another(gql: Gql) -> None:
    first, second = make_user(role=Role.ADMIN), make_user(role=Role.ADMIN)
    hers = gql.signed_in(second)
    assert codes(update(gql.signed_in(first), second, isActive=False)) == []
    assert hers(WHO).codes == ["UNAUTHENTICATED"]


def test_who_is_erased_has_no_role_and_no_right_left(db: None) -> None:
    """Nobody comes back to them: the row stays, and may be looked at by what counts members."""
    user = make_user(role=Role.SUPPORT, password=None, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    services.delete_user(candidate=services.Candidate(user, user.password), proof=services.Proof(right=True))
    user.refresh_from_db()
    assert not user.is_staff
    assert not user.groups.exists()
    assert not user.user_permissions.exists()
