"""Groups and their rights: who sees them, who changes them, and what holds from then on."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from backend.accounts import services
from backend.accounts.errors import Forbidden
from backend.accounts.groups import KEPT_BY_ADMINS
from backend.accounts.models import User
from backend.accounts.personal import erase
from backend.accounts.queries import permission_names
from backend.accounts.roles import GROUP_NAMES
from backend.core.caller import Caller, Role
from backend.core.ids import encode
from backend.core.models import OutboxEvent
from schema.root import schema
from tests.conftest import Gql
from tests.factories.accounts import make_user

LIST = """query ($first: Int, $after: String) { groups(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } nodes { id name role permissions userCount } } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Group { name role permissions userCount } } }"
CREATE = """mutation ($input: GroupCreateInput!) { groupCreate(input: $input) {
  group { id name role permissions userCount } userErrors { code message field } } }"""
UPDATE = """mutation ($input: GroupUpdateInput!) { groupUpdate(input: $input) {
  group { name role permissions userCount } userErrors { code message field } } }"""
DELETE = "mutation ($id: ID!) { groupDelete(input: { id: $id }) { deletedId userErrors { code message field } } }"
CUSTOMERS = "{ customers { totalCount } }"
SEE_PEOPLE = "accounts.view_user"
HOSTILE = [
    "",
    "nonsense",
    "\x00",
    encode("Group", 0),
    encode("Group", 2**31),
    encode("Group", 2**62),
    encode("Cart", 1),
]


@pytest.fixture
def admin(db: None) -> User:
    return make_user("root@example.com", role=Role.ADMIN, password=None)


@pytest.fixture
def clerk(db: None) -> User:
    """Somebody who may change groups, give roles, and see people; and no more."""
    user = make_user("clerk@example.com", password=None)
    codes = [*(f"{action}_group" for action in ("view", "add", "change", "delete")), "assign_roles", "view_user"]
    user.user_permissions.add(*permissions(*codes))
    return user


def permissions(*codes: str) -> list[Permission]:
    return list(Permission.objects.filter(codename__in=codes))


def make_group(name: str = "Night shift", *codes: str, members: tuple[User, ...] = ()) -> Group:
    group = Group.objects.create(name=name)
    group.permissions.set(permissions(*codes))
    group.user_set.set(members)
    return group


def role_group(role: Role) -> Group:
    return Group.objects.get(name=GROUP_NAMES[role])


def update(gql: Gql, group: Group, **given: Any) -> Any:
    return gql(UPDATE, input={"id": encode("Group", group.pk), **given})["groupUpdate"]


def error_of(payload: Any) -> tuple[str, list[str]]:
    assert payload.get("group") is payload.get("deletedId") is None
    [error] = payload["userErrors"]
    return error["code"], error["field"] and error["field"][1:]


def told() -> list[dict[str, Any]]:
    topics = ["group.created", "group.changed", "group.deleted"]
    return [
        {"topic": event.topic} | event.data for event in OutboxEvent.objects.filter(topic__in=topics).order_by("pk")
    ]


def ids(*people: User) -> list[str]:
    return [encode("User", each.pk) for each in people]


# Reading ------------------------------------------------------------------------------------------


def test_admins_see_roles_and_groups_by_name(gql: Gql, admin: User) -> None:
    group = make_group("Night shift", "view_order", "change_cart", members=(admin, make_user(is_active=False)))
    erase(make_user().pk)
    nodes = {each["name"]: each for each in gql.signed_in(admin)(LIST)["groups"]["nodes"]}
    assert list(nodes) == [
        "Admins",
        "Customers",
        "Night shift",
        "Order managers",
        "Product managers",
        "Support",
        "Vendors",
    ]
    assert nodes["Night shift"] == {
        "id": encode("Group", group.pk), "name": "Night shift", "role": None,
        "permissions": ["carts.change_cart", "orders.view_order"], "userCount": 2,
    }  # fmt: skip
    assert (nodes["Admins"]["role"], nodes["Admins"]["userCount"]) == ("ADMIN", 1)
    assert nodes["Customers"] | {"id": ""} == {
        "id": "", "name": "Customers", "role": "CUSTOMER", "permissions": [], "userCount": 2
    }  # fmt: skip
    assert gql.signed_in(admin)(NODE, id=encode("Group", group.pk))["node"]["userCount"] == 2


def test_groups_come_page_by_page(gql: Gql, admin: User) -> None:
    ask = gql.signed_in(admin)
    first = ask(LIST, first=4)["groups"]
    rest = ask(LIST, first=4, after=first["pageInfo"]["endCursor"])["groups"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (6, True, False)
    assert [each["name"] for each in rest["nodes"]] == ["Support", "Vendors"]
    assert ask(LIST, after="nonsense").codes == ["BAD_USER_INPUT"]


def test_the_number_of_statements_does_not_grow_with_the_groups(gql: Gql, admin: User) -> None:
    ask = gql.signed_in(admin)

    def statements() -> tuple[int, int]:
        return ask(LIST, first=50).statements, ask("{ permissions { name description } }").statements

    statements()
    few = statements()
    for number in range(20):
        make_group(f"Shift {number}", "view_order", members=(admin,))
    assert statements() == few


def test_the_list_is_one_plan(gql: Gql, admin: User) -> None:
    ask, engine = gql.signed_in(admin), schema.engine
    if engine is None:
        pytest.skip("ENGINE=off: there are no plans")
    before = engine.runs, sum(engine.fallbacks.values())
    assert ask(LIST).errors == ask("{ permissions { name description } }").errors == []
    assert (engine.runs, sum(engine.fallbacks.values())) == (before[0] + 2, before[1])


def test_what_can_be_given_is_told_with_words(gql: Gql, admin: User) -> None:
    shown = gql.signed_in(admin)("{ permissions { name description } }")["permissions"]
    assert {"name": "orders.view_order", "description": "Can view order"} in shown
    assert [each["name"] for each in shown] == sorted(each["name"] for each in shown)
    assert len(shown) == Permission.objects.count()


@pytest.mark.parametrize("id", HOSTILE)
def test_ids_that_name_no_group_are_not_found(gql: Gql, admin: User, id: str) -> None:
    ask = gql.signed_in(admin)
    assert ask(NODE, id=id)["node"] is None
    assert error_of(ask(UPDATE, input={"id": id, "name": "New"})["groupUpdate"]) == ("NOT_FOUND", ["id"])
    assert error_of(ask(DELETE, id=id)["groupDelete"]) == ("NOT_FOUND", ["id"])


def test_who_may_not_see_groups_finds_none(gql: Gql, clerk: User) -> None:
    """What they are not shown is not there for them, whatever else they may do."""
    clerk.user_permissions.remove(*permissions("view_group"))
    group, ask = make_group(), gql.signed_in(clerk)
    assert ask(NODE, id=encode("Group", group.pk))["node"] is None
    assert ask(LIST).codes == ask("{ permissions { name } }").codes == ["FORBIDDEN"]
    assert error_of(update(ask, group, name="New")) == ("NOT_FOUND", ["id"])
    assert error_of(ask(DELETE, id=encode("Group", group.pk))["groupDelete"]) == ("NOT_FOUND", ["id"])
    assert Group.objects.filter(name="Night shift").exists()


# Making and changing ------------------------------------------------------------------------------


def test_a_group_is_made_changed_and_dissolved_and_each_holds_at_once(gql: Gql, admin: User) -> None:
    """Also for tokens of a moment ago, which say what somebody was allowed then."""
    user, ask = make_user(password=None), gql.signed_in(admin)
    made = ask(CREATE, input={"name": " Night shift ", "permissions": [SEE_PEOPLE]})["groupCreate"]["group"]
    assert (made["name"], made["permissions"], made["userCount"]) == ("Night shift", [SEE_PEOPLE], 0)
    group = Group.objects.get(name="Night shift")
    for given, before, after in (
        ({"addUserIds": ids(user)}, ["FORBIDDEN"], []),
        ({"permissions": ["orders.view_order"]}, [], ["FORBIDDEN"]),
        ({"permissions": [SEE_PEOPLE], "name": "Late shift"}, ["FORBIDDEN"], []),
        ({"removeUserIds": ids(user)}, [], ["FORBIDDEN"]),
        ({"addUserIds": ids(user)}, ["FORBIDDEN"], []),
    ):
        their = gql.signed_in(user)
        assert their(CUSTOMERS).codes == before
        assert update(ask, group, **given)["userErrors"] == []
        assert their(CUSTOMERS).codes == after
    their = gql.signed_in(user)
    assert their(CUSTOMERS).errors == []
    assert ask(DELETE, id=made["id"])["groupDelete"] == {"deletedId": made["id"], "userErrors": []}
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]
    by = {"by": admin.pk}
    assert told() == [
        {"topic": "group.created", **by, "name": "Night shift", "given": [SEE_PEOPLE]},
        {"topic": "group.changed", **by, "added": [user.pk]},
        {"topic": "group.changed", **by, "given": ["orders.view_order"], "taken": [SEE_PEOPLE]},
        {"topic": "group.changed", **by, "name": "Late shift", "was": "Night shift",
         "given": [SEE_PEOPLE], "taken": ["orders.view_order"]},
        {"topic": "group.changed", **by, "removed": [user.pk]},
        {"topic": "group.changed", **by, "added": [user.pk]},
        {"topic": "group.deleted", **by, "name": "Late shift", "taken": [SEE_PEOPLE], "removed": [user.pk]},
    ]  # fmt: skip


def test_doing_it_twice_changes_nothing(gql: Gql, admin: User) -> None:
    inside, outside = make_user(password=None), make_user(password=None)
    group = make_group("Night shift", "view_order", members=(inside,))
    ask = gql.signed_in(admin)
    same = {"name": "Night shift", "permissions": ["orders.view_order"] * 2}
    answer = update(ask, group, **same, addUserIds=ids(inside) * 2, removeUserIds=ids(outside))
    assert (answer["userErrors"], answer["group"]["userCount"]) == ([], 1)
    assert update(ask, group)["userErrors"] == []
    inside.refresh_from_db()
    assert (inside.rights_version, told()) == (1, [])
    assert error_of(ask(CREATE, input=same)["groupCreate"]) == ("INVALID", ["name"])
    assert ask(DELETE, id=encode("Group", group.pk))["groupDelete"]["userErrors"] == []
    assert error_of(ask(DELETE, id=encode("Group", group.pk))["groupDelete"]) == ("NOT_FOUND", ["id"])
    assert len(told()) == 1


def test_what_a_role_may_do_is_changed_for_all_who_have_it(gql: Gql, admin: User) -> None:
    helper = make_user(role=Role.SUPPORT, password=None)
    their, group = gql.signed_in(helper), role_group(Role.SUPPORT)
    held = permission_names([helper.pk])[0]
    answer = update(gql.signed_in(admin), group, permissions=[each for each in held if each != SEE_PEOPLE])["group"]
    assert answer["role"] == "SUPPORT"
    assert their(CUSTOMERS).codes == ["FORBIDDEN"]
    assert told() == [{"topic": "group.changed", "by": admin.pk, "taken": [SEE_PEOPLE]}]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": "  "}, "REQUIRED", ["name"]),
        ({"name": "x" * 151}, "INVALID", ["name"]),
        ({"name": "a\nb"}, "INVALID", ["name"]),
        ({"name": "a\x00b"}, "INVALID", ["name"]),
        ({"name": "a\u202eb"}, "INVALID", ["name"]),
        ({"name": "DAY SHIFT"}, "INVALID", ["name"]),
        ({"name": "aDMINS"}, "INVALID", ["name"]),
        ({"name": "\uff21dmins"}, "INVALID", ["name"]),
        ({"permissions": ["orders.view_order", "orders.no_such"]}, "INVALID", ["permissions", "1"]),
        ({"permissions": ["view_order"]}, "INVALID", ["permissions", "0"]),
        ({"permissions": ["\x00"]}, "INVALID", ["permissions", "0"]),
        ({"permissions": [""] * 2001}, "INVALID", ["permissions"]),
    ],
)
def test_what_is_refused_changes_nothing(
    gql: Gql, admin: User, given: dict[str, Any], code: str, field: list[str]
) -> None:
    make_group("Day shift")
    group = make_group("Night shift", "view_cart")
    ask, other = gql.signed_in(admin), make_user(password=None)
    assert error_of(update(ask, group, addUserIds=ids(other), **given)) == (code, field)
    assert error_of(ask(CREATE, input={"name": "New", **given})["groupCreate"]) == (code, field)
    group.refresh_from_db()
    assert (group.name, group.permissions.get().codename, group.user_set.count()) == ("Night shift", "view_cart", 0)
    assert not Group.objects.filter(name="New").exists()
    assert not OutboxEvent.objects.exists()


def test_the_name_of_a_role_makes_nobody_that_role_where_its_group_is_missing(gql: Gql, admin: User) -> None:
    role_group(Role.SUPPORT).delete()
    for name in ("Support", "support"):
        answer = gql.signed_in(admin)(CREATE, input={"name": name})["groupCreate"]
        assert error_of(answer) == ("INVALID", ["name"])


def test_everything_at_fault_is_told_at_once(gql: Gql, admin: User) -> None:
    given = {"name": "", "permissions": ["x.y", "orders.view_order", "z"], "addUserIds": ["nonsense"]}
    errors = update(gql.signed_in(admin), make_group(), **given)["userErrors"]
    fields = [".".join(each["field"][1:]) for each in errors]
    assert sorted(fields) == ["addUserIds.0", "name", "permissions.0", "permissions.2"]


@pytest.mark.parametrize("given", [{"name": None}, {"permissions": None}])
def test_null_is_not_left_out(gql: Gql, admin: User, given: dict[str, Any]) -> None:
    assert error_of(update(gql.signed_in(admin), make_group(), **given)) == ("REQUIRED", list(given))


# Members ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["addUserIds", "removeUserIds"])
def test_people_who_are_not_there_are_named(gql: Gql, admin: User, field: str) -> None:
    known, gone = make_user(password=None), make_user(password=None)
    erase(gone.pk)
    group = make_group(members=(known,) if field == "removeUserIds" else ())
    for wrong in (*ids(gone), "", "nonsense", encode("User", 0), encode("User", 2**62), encode("Group", group.pk)):
        answer = update(gql.signed_in(admin), group, **{field: [*ids(known), wrong]})
        assert error_of(answer) == ("NOT_FOUND", [field, "1"])
    assert error_of(update(gql.signed_in(admin), group, **{field: [""] * 101})) == ("INVALID", [field])
    assert set(group.user_set.all()) == ({known} if field == "removeUserIds" else set())
    assert told() == []


def test_a_closed_account_can_only_leave(gql: Gql, admin: User) -> None:
    closed, ask = make_user(password=None, is_active=False), gql.signed_in(admin)
    group = make_group(members=(closed,))
    assert error_of(update(ask, make_group("Other"), addUserIds=ids(closed))) == ("NOT_FOUND", ["addUserIds", "0"])
    assert update(ask, group, removeUserIds=ids(closed))["group"]["userCount"] == 0


def test_nobody_comes_and_goes_at_once(gql: Gql, admin: User) -> None:
    answer = update(gql.signed_in(admin), make_group(), addUserIds=ids(admin), removeUserIds=ids(admin))
    assert error_of(answer) == ("INVALID", ["removeUserIds", "0"])


@pytest.mark.parametrize("role", Role)
def test_who_has_a_role_is_not_said_here_and_roles_stay(gql: Gql, admin: User, role: Role) -> None:
    group, ask, user = role_group(role), gql.signed_in(admin), make_user(password=None)
    assert error_of(update(ask, group, addUserIds=ids(user))) == ("INVALID", ["addUserIds"])
    assert error_of(update(ask, group, removeUserIds=ids(admin))) == ("INVALID", ["removeUserIds"])
    assert error_of(update(ask, group, name="Gone")) == ("INVALID", ["name"])
    assert error_of(ask(DELETE, id=encode("Group", group.pk))["groupDelete"]) == ("INVALID", ["id"])
    assert update(ask, group, name=group.name)["userErrors"] == []
    assert Group.objects.filter(pk=group.pk, name=GROUP_NAMES[role]).exists()
    assert told() == []


# Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, *(each for each in Role if each not in (Role.CUSTOMER, Role.ADMIN))])
def test_nobody_but_admins_changes_groups(gql: Gql, role: Role | None) -> None:
    user, group = make_user(role=role, password=None), make_group("Night shift", "view_order")
    for ask, code in ((gql.signed_in(user), "FORBIDDEN"), (gql, "UNAUTHENTICATED")):
        given = {"id": encode("Group", group.pk), "addUserIds": ids(user), "permissions": [SEE_PEOPLE]}
        assert ask(UPDATE, input=given).codes == [code]
        assert ask(CREATE, input={"name": "Mine"}).codes == [code]
        assert ask(DELETE, id=given["id"]).codes == [code]
        assert ask(LIST).codes == ask("{ permissions { name } }").codes == [code]
    assert gql(NODE, id=encode("Group", group.pk))["node"] is None
    assert [each.codename for each in group.permissions.all()] == ["view_order"]
    assert not group.user_set.exists()


def test_nobody_gives_or_takes_what_they_may_not_do(gql: Gql, clerk: User) -> None:
    ask, group = gql.signed_in(clerk), make_group("Night shift", "view_user")
    beyond = {"permissions": [SEE_PEOPLE, "orders.change_order"]}
    assert error_of(update(ask, group, **beyond)) == ("FORBIDDEN", ["permissions"])
    assert error_of(ask(CREATE, input={"name": "New", **beyond})["groupCreate"]) == ("FORBIDDEN", ["permissions"])
    assert update(ask, group, permissions=[], addUserIds=ids(clerk))["userErrors"] == []
    assert update(ask, group, permissions=[SEE_PEOPLE])["userErrors"] == []
    strong = make_group("Strong", "view_user", "change_order", members=(clerk,))
    strong.user_set.clear()
    for given in ({"name": "Weak"}, {"permissions": []}, {"addUserIds": ids(clerk)}, {"removeUserIds": ids(clerk)}, {}):
        assert error_of(update(ask, strong, **given)) == ("FORBIDDEN", ["id"])
    assert error_of(ask(DELETE, id=encode("Group", strong.pk))["groupDelete"]) == ("FORBIDDEN", ["id"])
    assert update(ask, role_group(Role.ADMIN), permissions=[])["userErrors"][0]["code"] == "FORBIDDEN"
    assert set(strong.permissions.values_list("codename", flat=True)) == {"view_user", "change_order"}
    assert not strong.user_set.exists()


def test_who_may_not_give_roles_says_nothing_of_members(gql: Gql, clerk: User) -> None:
    clerk.user_permissions.remove(*permissions("assign_roles"))
    ask, group = gql.signed_in(clerk), make_group(members=(make_user(password=None),))
    assert error_of(update(ask, group, addUserIds=ids(clerk))) == ("FORBIDDEN", ["addUserIds"])
    assert error_of(update(ask, group, removeUserIds=ids(*group.user_set.all()))) == ("FORBIDDEN", ["removeUserIds"])
    assert update(ask, group, name="Late shift")["userErrors"] == []
    assert group.user_set.count() == 1


def test_people_whom_one_does_not_see_are_not_there(gql: Gql, clerk: User) -> None:
    clerk.user_permissions.remove(*permissions("view_user"))
    answer = update(gql.signed_in(clerk), make_group(), addUserIds=ids(clerk, make_user(password=None)))
    assert error_of(answer) == ("NOT_FOUND", ["addUserIds", "1"])


def test_what_counts_is_what_somebody_may_at_this_moment(clerk: User) -> None:
    """Not what stood in their token, which was looked at a second ago."""
    may = frozenset(
        {"auth.add_group", "auth.change_group", "auth.delete_group", "auth.view_group", "orders.view_order"}
    )
    caller, group = Caller(clerk.pk, permissions=may), make_group()
    with pytest.raises(Forbidden):
        services.create_group(caller=caller, name="New", permissions=["orders.view_order"])
    clerk.user_permissions.clear()
    with pytest.raises(Forbidden):
        services.create_group(caller=caller, name="New")
    with pytest.raises(Forbidden):
        services.update_group(caller=caller, group_id=group.pk, change=services.GroupChange(name="New"))
    with pytest.raises(Forbidden):
        services.delete_group(caller=caller, group_id=group.pk)
    assert not Group.objects.filter(name="New").exists()
    assert Group.objects.filter(pk=group.pk).exists()


# The admins keep the shop manageable --------------------------------------------------------------


@pytest.mark.parametrize("superuser", [True, False])
@pytest.mark.parametrize("lost", sorted(KEPT_BY_ADMINS))
def test_the_admins_never_lose_what_they_give_rights_with(gql: Gql, admin: User, lost: str, superuser: bool) -> None:
    """Not by a superuser either: the superuser may leave, as there are admins."""
    if superuser:
        admin = make_user(is_superuser=True, password=None)
    ask, group = gql.signed_in(admin), role_group(Role.ADMIN)
    [everything] = permission_names([admin.pk])
    assert error_of(update(ask, group, permissions=[each for each in everything if each != lost])) == (
        "INVALID",
        ["permissions"],
    )
    assert group.permissions.count() == Permission.objects.count()
    assert told() == []


def test_with_what_the_admins_keep_they_run_groups_and_roles(gql: Gql, admin: User) -> None:
    ask, group, user = gql.signed_in(admin), role_group(Role.ADMIN), make_user(password=None)
    assert update(ask, group, permissions=sorted(KEPT_BY_ADMINS))["group"]["permissions"] == sorted(KEPT_BY_ADMINS)
    made = ask(CREATE, input={"name": "Night shift", "permissions": [SEE_PEOPLE]})["groupCreate"]["group"]
    assert ask(UPDATE, input={"id": made["id"], "addUserIds": ids(user)})["groupUpdate"]["userErrors"] == []
    roles = "mutation ($id: ID!) { userRolesSet(input: { userId: $id, roles: [ADMIN] }) { userErrors { code } } }"
    assert ask(roles, id=ids(user)[0])["userRolesSet"]["userErrors"] == []
