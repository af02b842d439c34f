"""Finding vendors, and what they say of themselves."""

from typing import Any

import pytest

from backend.core.caller import Role
from backend.core.ids import encode
from backend.vendors.models import Vendor, VendorStatus
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.factories.vendors import make_vendor


@pytest.fixture
def admin(gql: Gql) -> Gql:
    return gql.signed_in(make_user("root@example.com", role=Role.ADMIN, password=None))


def id_of(vendor: Vendor) -> str:
    return encode("Vendor", vendor.pk)


LIST = """query ($statuses: [VendorStatus!]) { vendors(first: 50, statuses: $statuses) {
  totalCount nodes { name status } } }"""
ONE = "query ($id: ID, $slug: String) { vendor(id: $id, slug: $slug) { name status } }"
UPDATE = """mutation ($input: VendorUpdateInput!) { vendorUpdate(input: $input) {
  vendor { name slug email description } userErrors { code message field } } }"""


def refused_as(gql: Gql, **given: Any) -> tuple[str, list[str]]:
    error = gql.refused(UPDATE, input=given)
    return error["code"], error["field"]


def names(gql: Gql, statuses: list[str] | None = None) -> list[str]:
    return [each["name"] for each in gql(LIST, statuses=statuses)["vendors"]["nodes"]]


def test_lists_show_who_sells_and_staff_whom_they_ask_for(gql: Gql, admin: Gql) -> None:
    owner = make_user(password=None)
    make_vendor("Hill")
    dale = make_vendor("Dale", owner=owner, status=VendorStatus.PENDING)
    make_vendor("Moor", status=VendorStatus.SUSPENDED)
    mine = gql.signed_in(owner)
    assert [names(each) for each in (gql, mine, admin)] == [["Hill"]] * 3
    asked = ["PENDING", "SUSPENDED"]
    assert [names(each, asked) for each in (gql, mine, admin)] == [[], ["Dale"], ["Dale", "Moor"]]
    assert names(admin, []) == []
    assert gql(ONE, slug="hill").data == {"vendor": None}
    found = {"name": "Dale", "status": "PENDING"}
    assert (gql(ONE, slug=dale.slug)["vendor"], mine(ONE, slug=dale.slug)["vendor"]) == (None, found)
    assert admin(ONE, id=id_of(dale))["vendor"] == found
    assert admin(ONE, id="x")["vendor"] is None
    assert gql(ONE).codes == ["BAD_USER_INPUT"]


def test_a_list_costs_as_much_for_many(gql: Gql, admin: Gql) -> None:
    make_vendor()
    admin(LIST)
    few = admin(LIST).statements
    for _ in range(9):
        make_vendor()
    assert admin(LIST).statements == few


def test_an_owner_changes_what_the_vendor_says_of_itself(gql: Gql, admin: Gql) -> None:
    owner, clerk = make_user(password=None), make_user(password=None)
    vendor = make_vendor("Hill", owner=owner, clerks=(clerk,), slug="hill")
    mine = gql.signed_in(owner)
    given = {"id": id_of(vendor), "description": "Oak & ash.", "email": "new@hill.example"}
    for _ in range(2):
        changed = mine(UPDATE, input=given)["vendorUpdate"]
        assert changed["vendor"] == {
            "name": "Hill",
            "slug": "hill",
            "email": "new@hill.example",
            "description": "Oak & ash.",
        }
    assert mine(UPDATE, input={"id": id_of(vendor), "description": None})["vendorUpdate"]["vendor"]["description"] == ""
    assert refused_as(mine, name="Dale", id=id_of(vendor)) == ("INVALID", ["input", "name"])
    assert refused_as(mine, email="x", id=id_of(vendor)) == ("INVALID", ["input", "email"])
    assert refused_as(mine, email=None, id=id_of(vendor)) == ("REQUIRED", ["input", "email"])
    assert refused_as(gql.signed_in(clerk), id=id_of(vendor), email="x@y.example")[0] == "NOT_FOUND"
    assert refused_as(mine, id="x", email="x@y.example")[0] == "NOT_FOUND"
    assert admin(UPDATE, input={"id": id_of(vendor), "name": "Dale"})["vendorUpdate"]["vendor"]["slug"] == "hill"
    vendor.refresh_from_db()
    assert (vendor.name, vendor.email) == ("Dale", "new@hill.example")


def test_an_application_can_be_renamed_while_it_waits(gql: Gql) -> None:
    owner = make_user(password=None)
    vendor = make_vendor("Hil", owner=owner, status=VendorStatus.PENDING, email="")
    mine = gql.signed_in(owner)
    assert mine(UPDATE, input={"id": id_of(vendor), "name": " Hill "})["vendorUpdate"]["vendor"]["name"] == "Hill"
    assert refused_as(mine, id=id_of(vendor), name="a\u202eb") == ("INVALID", ["input", "name"])
