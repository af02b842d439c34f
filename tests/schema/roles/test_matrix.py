"""Every mutation and every protected field, as every role, against one table."""

from string import Template
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from graphql import GraphQLObjectType, get_named_type
from strawberry.permission import PermissionExtension

from backend.accounts.models import SavedAddress, User
from backend.accounts.services import open_session
from backend.core import clock
from backend.core.caller import Role
from backend.core.ids import encode
from backend.vendors.models import Vendor, VendorInvitation, VendorStatus
from schema.root import schema
from tests.conftest import Answer, Gql
from tests.factories.accounts import caller_of, make_user
from tests.factories.carts import make_cart
from tests.factories.catalog import make_product
from tests.factories.orders import make_order
from tests.factories.payments import start
from tests.factories.vendors import make_vendor
from tests.schema.roles.table import FIELDS, MUTATIONS, ROLES, Line

ADDRESS = '{firstName: "Ada", lastName: "B", line1: "1 Main St", city: "Springfield", region: "IL", postalCode: "62701", country: "US"}'  # noqa: E501
STAFF = {
    "product manager": Role.PRODUCT_MANAGER,
    "order manager": Role.ORDER_MANAGER,
    "support": Role.SUPPORT,
    "admin": Role.ADMIN,
}


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """Everybody who asks, by ROLES."""
    return {name: make_user(role=STAFF.get(name), password=None, email_verified_at=clock.now()) for name in ROLES[1:]}


@pytest.fixture
def vendor(people: dict[str, User]) -> Vendor:
    return make_vendor(owner=people["owner"], clerks=(people["clerk"],))


@pytest.fixture
def sample(people: dict[str, User], vendor: Vendor) -> dict[str, str]:
    """What the table's lines are about."""
    customer = people["customer"]
    variant = make_product(vendor=vendor, stock=50).variants.get()
    cart = make_cart((variant, 1), caller=caller_of(customer))
    order = make_order((variant, 1), caller=caller_of(customer))
    moment = clock.now()
    kept = {"first_name": "A", "last_name": "B", "line1": "1", "country": "US"}
    address = SavedAddress.objects.create(user=customer, created_at=moment, updated_at=moment, **kept)
    invitation = VendorInvitation.objects.create(vendor=vendor, email="invited@example.com", sent_at=moment)
    applicant = make_vendor(owner=people["owner"], clerks=(people["clerk"],), status=VendorStatus.PENDING)
    return {
        "customer": encode("User", customer.pk),
        "variant": encode("ProductVariant", variant.pk),
        "cart": encode("Cart", cart.pk),
        "line": encode("CartLine", cart.lines.get().pk),
        "guest_cart": encode("Cart", make_cart((variant, 1)).pk),
        "order": encode("Order", order.pk),
        "payment": encode("Payment", start(order).pk),
        "session": encode("Session", open_session(user=customer).session.pk),
        "address": encode("SavedAddress", address.pk),
        "address_input": ADDRESS,
        "vendor": encode("Vendor", vendor.pk),
        "clerk": encode("VendorMember", vendor.members.get(user=people["clerk"]).pk),
        "invitation": encode("VendorInvitation", invitation.pk),
        "applicant": encode("Vendor", applicant.pk),
        "group": encode("Group", Group.objects.create(name="Night shift").pk),
    }


def root_fields(name: str) -> dict[str, Any]:
    kind = schema._schema.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return dict(kind.fields)


def filled(line: Line, sample: dict[str, str]) -> str:
    return Template(line.given).substitute(sample)


def mutation_of(name: str, line: Line, sample: dict[str, str]) -> str:
    payload = get_named_type(root_fields("Mutation")[name].type)
    shown = "userErrors { code }" if "userErrors" in payload.fields else "__typename"
    given = f"(input: {{{filled(line, sample)}}})" if root_fields("Mutation")[name].args else ""
    return f"mutation {{ {name}{given} {{ {shown} }} }}"


def letter_of(answer: Answer) -> str:
    """What became of somebody's request. Anything that is none of the refusals has let them in."""
    if answer.errors:
        refused = {"UNAUTHENTICATED": "U", "FORBIDDEN": "F", "NOT_FOUND": "N"}
        return "".join({refused.get(error["extensions"]["code"], str(error)) for error in answer.errors})
    [found] = answer.data.values()
    codes = {error["code"] for error in (found or {}).get("userErrors", ())} if isinstance(found, dict) else set()
    if found is None or codes == {"NOT_FOUND"}:
        return "N"
    return "F" if codes == {"FORBIDDEN"} else "I"


def ask(gql: Gql, user: User | None, document: str) -> str:
    """The letter of a request whose changes are undone; each on a new device, as some sign out."""
    with transaction.atomic():
        letter = letter_of((gql if user is None else gql.signed_in(user))(document))
        transaction.set_rollback(True)
    return letter


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_what_the_table_says(
    role: str, gql: Gql, people: dict[str, User], sample: dict[str, str]
) -> None:
    user, place = people.get(role), ROLES.index(role)
    documents = {name: mutation_of(name, line, sample) for name, line in MUTATIONS.items()}
    documents |= {name: filled(line, sample) for name, line in FIELDS.items()}
    found = {name: ask(gql, user, document) for name, document in documents.items()}
    assert found == {name: line.letters[place] for name, line in (MUTATIONS | FIELDS).items()}


def test_every_mutation_has_a_line() -> None:
    assert set(MUTATIONS) == set(root_fields("Mutation")), "tests/schema/roles/table.py has a line for each mutation"
    assert all(len(line.letters) == len(ROLES) for line in (MUTATIONS | FIELDS).values())


def test_every_protected_field_has_a_line() -> None:
    """Those that are guarded by a permission; the table has more that look at the single row."""
    guarded = {
        f"{kind.name}.{name}"
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind.name != "Mutation"
        for name, field in kind.fields.items()
        if is_guarded(field)
    }
    assert guarded <= set(FIELDS), "tests/schema/roles/table.py has a line for each protected field"
    assert guarded


def is_guarded(field: Any) -> bool:
    definition = field.extensions.get("strawberry-definition")
    return definition is not None and any(isinstance(each, PermissionExtension) for each in definition.extensions)
