"""From the application to the clerks: who may do what, and what each is told."""

from typing import Any

import pytest

from backend.accounts.models import Customer, User
from backend.accounts.queries import grants_by_user
from backend.core import clock
from backend.core.caller import Role
from backend.core.ids import encode
from backend.core.models import OutboxEvent
from backend.vendors import personal
from backend.vendors.models import Vendor, VendorInvitation, VendorMember, VendorStatus
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.catalog import make_product
from tests.factories.vendors import make_vendor, owner_of
from tests.schema.accounts.documents import DELETE
from tests.schema.accounts.mails import deliver, token_in
from tests.schema.vendors.documents import ACCEPT, APPLY, APPROVE, INVITE, MINE, REMOVE, REVOKE, SUSPEND

GIVEN = {"name": "Hill & Co", "email": "shop@hill.example", "description": "Chairs."}
HOUR = 60 * 60


@pytest.fixture
def admin(gql: Gql) -> Gql:
    return gql.signed_in(make_user("root@example.com", role=Role.ADMIN, password=None))


def someone(email: str) -> User:
    return make_user(email, password=None, email_verified_at=clock.now())


def id_of(vendor: Vendor) -> str:
    return encode("Vendor", vendor.pk)


def roles_of(user: User) -> set[str]:
    return set(grants_by_user([user.pk])[user.pk].roles)


def member_id(vendor: Vendor, user: User) -> str:
    return encode("VendorMember", vendor.members.get(user=user).pk)


def invite(gql: Gql, vendor: Vendor, email: str = "clerk@example.com") -> str:
    """Ask somebody, and read the token in their mail."""
    OutboxEvent.objects.all().delete()
    answer = gql.signed_in(owner_of(vendor))(INVITE, vendorId=id_of(vendor), email=email)
    assert answer["vendorClerkInvite"]["userErrors"] == []
    [message] = deliver()
    assert message.to == [email]
    return token_in(message)


def test_the_story_from_the_application_to_a_clerk_at_work(gql: Gql, admin: Gql) -> None:
    owner, clerk = someone("owner@example.com"), someone("clerk@example.com")
    ask = gql.signed_in(owner)
    applied = ask(APPLY, input=GIVEN)["vendorApply"]["vendor"]
    assert (applied["slug"], applied["status"], applied["myRole"]) == ("hill-co", "PENDING", "OWNER")
    assert roles_of(owner) == {"CUSTOMER"}
    assert admin(APPROVE, id=applied["id"])["vendorApprove"]["vendor"]["status"] == "APPROVED"
    [message] = deliver(twice=True)
    assert message.to == ["owner@example.com"]
    assert "Hill & Co is approved" in message.body
    assert ask("{ viewer { roles } }")["viewer"]["roles"] == ["CUSTOMER", "VENDOR"]
    ask(INVITE, vendorId=applied["id"], email="clerk@example.com")
    [message] = deliver(twice=True)
    their = gql.signed_in(clerk)
    joined = their(ACCEPT, token=token_in(message))["vendorClerkAccept"]
    assert (joined["userErrors"], joined["vendor"]["myRole"]) == ([], "CLERK")
    assert their("{ viewer { roles } }")["viewer"]["roles"] == ["CUSTOMER", "VENDOR"]
    [mine] = ask(MINE)["viewer"]["vendors"]
    assert [(each["email"], each["role"]) for each in mine["members"]] == [
        ("owner@example.com", "OWNER"),
        ("clerk@example.com", "CLERK"),
    ]
    assert mine["invitations"] == []
    gone = ask(REMOVE, id=mine["members"][1]["id"])["vendorClerkRemove"]
    assert gone == {"deletedId": mine["members"][1]["id"], "userErrors": []}
    assert their(MINE)["viewer"] == {"roles": ["CUSTOMER"], "vendors": []}


# Applying -----------------------------------------------------------------------------------------


def test_the_same_application_again_is_the_same_vendor_and_another_has_to_wait(gql: Gql) -> None:
    ask = gql.signed_in(someone("owner@example.com"))
    first = ask(APPLY, input=GIVEN)["vendorApply"]["vendor"]
    assert ask(APPLY, input={**GIVEN, "name": " Hill  & Co "})["vendorApply"]["vendor"] == first
    errors = ask(APPLY, input={**GIVEN, "name": "Dale"})["vendorApply"]["userErrors"]
    assert [(each["code"], each["field"]) for each in errors] == [("INVALID", ["input", "name"])]
    assert Vendor.objects.count() == 1


def test_two_vendors_of_one_name_have_their_own_slugs(gql: Gql) -> None:
    slugs = [
        gql.signed_in(someone(email))(APPLY, input=GIVEN)["vendorApply"]["vendor"]["slug"]
        for email in ("a@example.com", "b@example.com", "c@example.com")
    ]
    assert slugs == ["hill-co", "hill-co-2", "hill-co-3"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"name": "  "}, [("REQUIRED", "name")]),
        ({"name": "x" * 201}, [("INVALID", "name")]),
        ({"name": "Hill\x00"}, [("INVALID", "name")]),
        ({"name": "Hill\u202eoc"}, [("INVALID", "name")]),
        ({"description": "x" * 5001}, [("INVALID", "description")]),
        ({"description": "a\x00b"}, [("INVALID", "description")]),
        ({"email": "a@b.example\nBcc: c@d.example"}, [("INVALID", "email")]),
        ({"name": "", "email": ""}, [("REQUIRED", "name"), ("REQUIRED", "email")]),
    ],
)
def test_hostile_applications_are_refused_as_a_whole(
    gql: Gql, wrong: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    errors = gql.signed_in(someone("owner@example.com"))(APPLY, input={**GIVEN, **wrong})["vendorApply"]["userErrors"]
    assert [(each["code"], each["field"][1]) for each in errors] == expected
    assert not Vendor.objects.exists()
    assert not OutboxEvent.objects.exists()


# The shop's word ----------------------------------------------------------------------------------


def test_approving_twice_changes_nothing(gql: Gql, admin: Gql) -> None:
    vendor = make_vendor(status=VendorStatus.PENDING)
    for _ in range(2):
        assert admin(APPROVE, id=id_of(vendor))["vendorApprove"]["vendor"]["status"] == "APPROVED"
    assert OutboxEvent.objects.filter(topic="vendor.approved").count() == 1


def test_a_vendor_without_an_active_owner_is_not_approved(gql: Gql, admin: Gql) -> None:
    vendor = make_vendor(status=VendorStatus.PENDING)
    User.objects.filter(pk=owner_of(vendor).pk).update(is_active=False)
    [error] = admin(APPROVE, id=id_of(vendor))["vendorApprove"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "id"])
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.PENDING
    assert not OutboxEvent.objects.exists()


def test_suspending_twice_keeps_the_first_reason_and_approving_takes_it_back(gql: Gql, admin: Gql) -> None:
    vendor = make_vendor()
    for reason in ("Bad <b>glue</b>", "Another"):
        shown = admin(SUSPEND, id=id_of(vendor), reason=reason)["vendorSuspend"]["vendor"]
        assert (shown["status"], shown["suspensionReason"]) == ("SUSPENDED", "Bad <b>glue</b>")
    [message] = deliver()
    assert "Bad <b>glue</b>" in message.body
    assert "Bad &lt;b&gt;glue&lt;/b&gt;" in message.alternatives[0].content
    assert Role.VENDOR in roles_of(owner_of(vendor))
    assert admin(APPROVE, id=id_of(vendor))["vendorApprove"]["vendor"]["suspensionReason"] is None


@pytest.mark.parametrize(("reason", "code"), [("  ", "REQUIRED"), ("x" * 501, "INVALID"), ("a\x00", "INVALID")])
def test_a_suspension_needs_a_reason_that_can_be_kept(gql: Gql, admin: Gql, reason: str, code: str) -> None:
    vendor = make_vendor()
    [error] = admin(SUSPEND, id=id_of(vendor), reason=reason)["vendorSuspend"]["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", "reason"])
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.APPROVED


@pytest.mark.parametrize("id", ["", "x", encode("Vendor", 0), encode("Vendor", 2**62), encode("User", 1)])
def test_ids_that_name_no_vendor_are_not_found(admin: Gql, id: str) -> None:
    for document, given in ((APPROVE, {}), (SUSPEND, {"reason": "x"}), (REVOKE, {}), (REMOVE, {})):
        [payload] = admin(document, id=id, **given).data.values()
        assert [each["code"] for each in payload["userErrors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("role", [None, Role.PRODUCT_MANAGER, Role.ORDER_MANAGER, Role.SUPPORT])
def test_nobody_else_decides_not_even_the_owner(gql: Gql, role: Role | None) -> None:
    vendor = make_vendor(status=VendorStatus.PENDING, owner=make_user(role=role, password=None))
    ask = gql.signed_in(owner_of(vendor))
    assert ask(APPROVE, id=id_of(vendor)).codes == ["FORBIDDEN"]
    assert ask(SUSPEND, id=id_of(vendor), reason="x").codes == ["FORBIDDEN"]
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.PENDING


# Clerks -------------------------------------------------------------------------------------------


def test_an_invitation_opens_once_and_for_the_invited_address_alone(gql: Gql) -> None:
    vendor = make_vendor()
    token = invite(gql, vendor, "Clerk@Example.com")
    other = gql.signed_in(someone("other@example.com"))
    assert other.refused(ACCEPT, token=token)["code"] == "TOKEN_INVALID"
    clerk = gql.signed_in(someone("clerk@example.com"))
    assert clerk(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"] == []
    [error] = clerk(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"]
    assert error["code"] == "TOKEN_INVALID"
    assert vendor.members.count() == 2


def test_an_address_that_is_not_verified_is_not_let_in(gql: Gql) -> None:
    vendor = make_vendor()
    token = invite(gql, vendor)
    clerk = make_user("clerk@example.com", password=None)
    assert gql.signed_in(clerk)(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"][0]["code"] == "FORBIDDEN"
    assert vendor.members.count() == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 400, "eyJpIjoxfQ:forged", "\x00"])
def test_forged_tokens_open_nothing(gql: Gql, token: str) -> None:
    [error] = gql.signed_in(someone("a@example.com"))(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"]
    assert error["code"] == "TOKEN_INVALID"


def test_only_the_newest_link_is_good_and_for_its_time(gql: Gql, http: Any, settings: Any) -> None:
    vendor = make_vendor()
    old = invite(gql, vendor)
    new = invite(gql, vendor)
    clerk = gql.signed_in(someone("clerk@example.com"))
    assert clerk(ACCEPT, token=old)["vendorClerkAccept"]["userErrors"][0]["code"] == "TOKEN_INVALID"
    assert VendorInvitation.objects.count() == 1
    VendorInvitation.objects.update(sent_at=clock.now())
    VendorInvitation.objects.all().delete()
    assert clerk(ACCEPT, token=new)["vendorClerkAccept"]["userErrors"][0]["code"] == "TOKEN_INVALID"
    last = invite(gql, vendor)
    settings.EMAIL_LINK_HOURS = 0
    assert clerk(ACCEPT, token=last)["vendorClerkAccept"]["userErrors"][0]["code"] == "TOKEN_EXPIRED"


def test_an_invitation_that_was_taken_back_is_good_no_more_and_its_mail_is_not_sent(gql: Gql) -> None:
    vendor = make_vendor()
    token = invite(gql, vendor)
    ask = gql.signed_in(owner_of(vendor))
    [mine] = ask(MINE)["viewer"]["vendors"]
    [invitation] = mine["invitations"]
    assert ask(REVOKE, id=invitation["id"])["vendorClerkInvitationRevoke"]["userErrors"] == []
    [error] = ask(REVOKE, id=invitation["id"])["vendorClerkInvitationRevoke"]["userErrors"]
    assert error["code"] == "NOT_FOUND"
    clerk = gql.signed_in(someone("clerk@example.com"))
    assert clerk(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"][0]["code"] == "TOKEN_INVALID"
    again = ask(INVITE, vendorId=id_of(vendor), email="clerk@example.com")["vendorClerkInvite"]["invitation"]
    ask(REVOKE, id=again["id"])
    assert deliver() == []


def test_clerks_strangers_and_owners_of_others_invite_nobody(gql: Gql, admin: Gql) -> None:
    clerk = someone("clerk@example.com")
    vendor = make_vendor(clerks=(clerk,))
    others = (clerk, owner_of(make_vendor()), someone("stranger@example.com"))
    for ask in (*(gql.signed_in(each) for each in others), admin):
        for vendor_id in (id_of(vendor), encode("Vendor", 10**9)):
            payload = ask(INVITE, vendorId=vendor_id, email="x@example.com")["vendorClerkInvite"]
            assert [each["code"] for each in payload["userErrors"]] == ["NOT_FOUND"]
    assert not VendorInvitation.objects.exists()
    assert not OutboxEvent.objects.filter(topic="vendor.clerk_invited").exists()


@pytest.mark.parametrize("status", [VendorStatus.PENDING, VendorStatus.SUSPENDED])
def test_a_vendor_that_does_not_sell_invites_nobody_and_takes_nobody_in(gql: Gql, status: VendorStatus) -> None:
    vendor = make_vendor()
    token = invite(gql, vendor)
    Vendor.objects.update(status=status)
    ask = gql.signed_in(owner_of(vendor))
    error = ask(INVITE, vendorId=id_of(vendor), email="x@example.com")["vendorClerkInvite"]["userErrors"][0]
    assert error["code"] == "INVALID"
    clerk = gql.signed_in(someone("clerk@example.com"))
    assert clerk(ACCEPT, token=token)["vendorClerkAccept"]["userErrors"][0]["code"] == "INVALID"
    assert vendor.members.count() == 1


@pytest.mark.parametrize("email", ["", "x", "a@b.example\r\nBcc: c@d.example", "x@y.example\x00"])
def test_hostile_addresses_are_not_invited(gql: Gql, email: str) -> None:
    vendor = make_vendor()
    [error] = gql.signed_in(owner_of(vendor))(INVITE, vendorId=id_of(vendor), email=email)["vendorClerkInvite"][
        "userErrors"
    ]
    assert (error["code"], error["field"]) == ("REQUIRED" if not email else "INVALID", ["input", "email"])


def test_whoever_works_here_is_not_invited_and_mails_have_a_bound(gql: Gql, settings: Any) -> None:
    settings.MAILS_PER_ACCOUNT = "1/hour"
    vendor = make_vendor(clerks=(someone("clerk@example.com"),))
    ask = gql.signed_in(owner_of(vendor))
    [error] = ask(INVITE, vendorId=id_of(vendor), email="CLERK@example.com")["vendorClerkInvite"]["userErrors"]
    assert error["code"] == "INVALID"
    for expected in (1, 0):
        ask(INVITE, vendorId=id_of(vendor), email="new@example.com")
        assert len(deliver()) == expected


def test_the_last_owner_stays_a_clerk_leaves_and_nobody_sends_strangers_away(gql: Gql) -> None:
    clerk = someone("clerk@example.com")
    vendor, other = make_vendor(clerks=(clerk,)), make_vendor()
    owner, theirs = gql.signed_in(owner_of(vendor)), gql.signed_in(clerk)
    own, other_owner = member_id(vendor, owner_of(vendor)), member_id(other, owner_of(other))
    assert owner(REMOVE, id=own)["vendorClerkRemove"]["userErrors"][0]["code"] == "INVALID"
    assert owner(REMOVE, id=other_owner)["vendorClerkRemove"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert theirs(REMOVE, id=own)["vendorClerkRemove"]["userErrors"][0]["code"] == "NOT_FOUND"
    leaving = member_id(vendor, clerk)
    assert theirs(REMOVE, id=leaving)["vendorClerkRemove"]["userErrors"] == []
    assert owner(REMOVE, id=leaving)["vendorClerkRemove"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert (VendorMember.objects.count(), roles_of(clerk)) == (2, {"CUSTOMER"})


def test_whoever_works_for_two_vendors_keeps_the_role_when_one_lets_them_go(gql: Gql) -> None:
    clerk = someone("clerk@example.com")
    vendor, _ = make_vendor(clerks=(clerk,)), make_vendor(clerks=(clerk,))
    gql.signed_in(owner_of(vendor))(REMOVE, id=member_id(vendor, clerk))
    assert roles_of(clerk) == {"CUSTOMER", "VENDOR"}


# Who sees the inside ------------------------------------------------------------------------------

INSIDE = "query ($id: ID!) { node(id: $id) { ... on Vendor { name status email myRole members { email } } } }"


def test_the_inside_of_a_vendor_is_for_its_people_and_staff(gql: Gql, admin: Gql) -> None:
    clerk = someone("clerk@example.com")
    vendor = make_vendor("Hill", clerks=(clerk,), email="shop@hill.example")
    public: dict[str, Any] = {"name": "Hill", "status": None, "email": None, "myRole": None, "members": []}
    for ask in (gql, gql.signed_in(owner_of(make_vendor()))):
        assert ask(INSIDE, id=id_of(vendor))["node"] == public
    shown = gql.signed_in(clerk)(INSIDE, id=id_of(vendor))["node"]
    assert (shown["status"], shown["email"], shown["myRole"]) == ("APPROVED", "shop@hill.example", "CLERK")
    assert len(shown["members"]) == 2
    assert admin(INSIDE, id=id_of(vendor))["node"]["myRole"] is None


def test_a_vendor_that_does_not_sell_is_seen_by_its_people_and_staff_alone(gql: Gql, admin: Gql) -> None:
    vendor = make_vendor(status=VendorStatus.PENDING)
    assert gql(INSIDE, id=id_of(vendor))["node"] is None
    assert gql.signed_in(owner_of(make_vendor()))(INSIDE, id=id_of(vendor))["node"] is None
    assert gql.signed_in(owner_of(vendor))(INSIDE, id=id_of(vendor))["node"]["status"] == "PENDING"
    assert admin(INSIDE, id=id_of(vendor))["node"]["status"] == "PENDING"


def test_the_number_of_statements_does_not_grow_with_vendors_and_people(gql: Gql) -> None:
    owner = someone("owner@example.com")
    ask = gql.signed_in(owner)

    def statements() -> int:
        return ask(MINE).statements

    make_vendor(owner=owner)
    statements()
    few = statements()
    for _ in range(5):
        make_vendor(owner=owner, clerks=tuple(make_user(password=None) for _ in range(3)))
    assert statements() == few


def test_whoever_leaves_the_shop_works_nowhere_and_waits_for_no_answer(gql: Gql) -> None:
    clerk = someone("clerk@example.com")
    vendor = make_vendor("Hill", clerks=(clerk,))
    VendorInvitation.objects.create(vendor=make_vendor(), email="Clerk@example.com", sent_at=clock.now())
    assert personal.export(clerk.pk) == [{"vendor": "Hill", "role": "CLERK"}]
    personal.erase(clerk.pk)
    assert (vendor.members.count(), VendorInvitation.objects.count()) == (1, 0)


# Leaving the shop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [VendorStatus.APPROVED, VendorStatus.PENDING])
def test_a_vendor_whose_last_owner_leaves_the_shop_sells_no_more(gql: Gql, status: VendorStatus) -> None:
    owner, clerk = make_user("owner@example.com"), make_user("clerk@example.com", password=None)
    Customer.objects.filter(user=owner).update(language="de")
    vendor = make_vendor("Dale", owner=owner, clerks=(clerk,), status=status)
    make_product("Chair", vendor=vendor)
    assert gql.signed_in(owner)(DELETE, password=PASSWORD)["userDelete"]["deleted"] is True
    vendor.refresh_from_db()
    assert (vendor.status, vendor.suspension_reason) == (VendorStatus.SUSPENDED, "Its last owner has left the shop.")
    assert gql("{ products { totalCount } }")["products"]["totalCount"] == 0
    assert [member.user_id for member in vendor.members.all()] == [clerk.pk]
    assert OutboxEvent.objects.filter(topic="vendor.suspended", key=str(vendor.pk)).count() == 1
    told = {message.to[0]: message.subject for message in deliver()}
    assert told == {
        "owner@example.com": "Dein Konto wurde gelöscht - Cartograph",
        "clerk@example.com": "Your vendor account is suspended - Cartograph",
    }


CLOSE = "mutation ($id: ID!) { customerUpdate(input: { userId: $id, isActive: false }) { userErrors { code } } }"
ERASE = "mutation ($id: ID!) { customerErase(input: { userId: $id }) { userErrors { code } } }"


def test_a_vendor_whose_last_owner_is_shut_out_sells_no_more(gql: Gql, admin: Gql) -> None:
    owner, other = make_user(password=None), make_user(password=None)
    vendor = make_vendor(owner=owner)
    VendorMember.objects.create(vendor=vendor, user=other, role=VendorMember.Role.OWNER)
    admin(CLOSE, id=encode("User", other.pk))
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.APPROVED
    left = gql.signed_in(owner)(REMOVE, id=member_id(vendor, owner))["vendorClerkRemove"]
    assert [each["code"] for each in left["userErrors"]] == ["INVALID"]
    for _ in range(2):
        admin(CLOSE, id=encode("User", owner.pk))
    vendor.refresh_from_db()
    assert (vendor.status, vendor.suspension_reason) == (
        VendorStatus.SUSPENDED, "The account of its last owner is closed."
    )  # fmt: skip
    assert (vendor.members.count(), OutboxEvent.objects.filter(topic="vendor.suspended").count()) == (2, 1)


def test_a_vendor_goes_with_its_last_owner_whoever_erases_them(gql: Gql, admin: Gql) -> None:
    owner, closed = make_user(password=None), make_user(password=None, is_active=False)
    vendor = make_vendor(owner=owner)
    VendorMember.objects.create(vendor=vendor, user=closed, role=VendorMember.Role.OWNER)
    assert admin(ERASE, id=encode("User", owner.pk))["customerErase"]["userErrors"] == []
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.SUSPENDED


def test_a_vendor_with_another_owner_goes_on(gql: Gql) -> None:
    owner, other, clerk = make_user(), make_user(password=None), make_user()
    vendor = make_vendor(owner=owner, clerks=(clerk,))
    VendorMember.objects.create(vendor=vendor, user=other, role=VendorMember.Role.OWNER)
    for user in (owner, clerk):
        assert gql.signed_in(user)(DELETE, password=PASSWORD)["userDelete"]["deleted"] is True
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.APPROVED
    assert [member.user_id for member in vendor.members.all()] == [other.pk]
