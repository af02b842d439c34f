"""Roles, members and first sign-ins that are decided at the same instant, on the real database."""

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from social_django.models import UserSocialAuth

from backend.accounts import groups
from backend.accounts.address_book import create_address
from backend.accounts.links import PASSWORD_LINK
from backend.accounts.models import Authenticator, RecoveryCode, SavedAddress, User
from backend.accounts.queries import grants_by_user
from backend.accounts.roles import ready_roles
from backend.accounts.services import (
    Candidate,
    GroupChange,
    Identity,
    ProfileChange,
    Proof,
    Tokens,
    confirm_second_factor,
    create_group,
    delete_group,
    delete_user,
    enable_second_factor,
    erase_customer,
    finish_social,
    open_session,
    reset_password,
    set_roles,
    update_customer,
    update_group,
    update_profile,
)
from backend.accounts.services.social import Begun
from backend.accounts.social.providers import SocialProvider
from backend.carts.models import Cart
from backend.carts.services import create_cart
from backend.core import clock
from backend.core.caller import Caller, Role
from backend.core.context import default_context
from backend.core.errors import DomainError
from backend.core.models import OutboxEvent
from backend.orders.services import PlaceOrder, place_order
from backend.vendors.invitations import token_of
from backend.vendors.models import VendorInvitation, VendorMember, VendorStatus
from backend.vendors.services import Application, accept_invitation, apply_as_vendor, invite_clerk, remove_member
from tests.factories.accounts import caller_of, make_customer, make_user
from tests.factories.carts import ADDRESS, make_cart
from tests.factories.catalog import make_product
from tests.factories.second_factor import code_of
from tests.factories.vendors import make_vendor
from tests.race.running import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roles")]
OWNER = VendorMember.Role.OWNER


@pytest.fixture
def roles(db: None) -> None:
    ready_roles()


def google(sub: str) -> Identity:
    """Somebody with one address and several accounts at Google, which have verified it."""
    response = {"sub": sub, "email": "ada@example.com", "email_verified": True}
    return Identity(Begun(SocialProvider.GOOGLE, "state", "https://shop.example/", {}), response)


def test_first_sign_ins_with_one_address_make_one_account() -> None:
    commands = [partial(finish_social, google(str(number % 3)), language="en") for number in range(12)]
    assert all(isinstance(answer, Tokens) for answer in at_once(commands))
    assert (User.objects.count(), UserSocialAuth.objects.count()) == (1, 3)


def test_admins_who_demote_each_other_at_once_leave_one() -> None:
    admins = [make_user(role=Role.ADMIN, password=None) for _ in range(6)]
    may = frozenset({"accounts.assign_roles", "accounts.view_user"})
    pairs = zip(admins, [*admins[1:], admins[0]], strict=True)
    at_once(
        [partial(set_roles, caller=Caller(one.pk, permissions=may), user_id=other.pk, roles=[]) for one, other in pairs]
    )
    grants = grants_by_user([admin.pk for admin in admins])
    assert sum(Role.ADMIN in each.roles for each in grants.values()) >= 1


def test_superusers_who_take_each_others_rights_at_once_in_the_admin_leave_one() -> None:
    for number in range(4):
        pair = [make_user(f"{number}{each}@example.com", is_superuser=True, is_staff=True) for each in "ab"]
        clients = [Client(), Client()]
        for client, user in zip(clients, pair, strict=True):
            client.force_login(user)
        at_once([
            partial(client.post, f"/admin/accounts/user/{other.pk}/change/", {"email": other.email, "is_active": "on"})
            for client, other in zip(clients, reversed(pair), strict=True)
        ])  # fmt: skip
        left = User.objects.filter(is_superuser=True)
        assert left.count() == 1
        left.delete()


def test_groups_that_are_changed_at_once_have_one_name_each_and_all_their_people() -> None:
    """While one of the people is erased, who is then in none; nothing waits for itself."""
    admins = [make_user(role=Role.ADMIN, password=None) for _ in range(3)]
    callers = [Caller(admin.pk, permissions=groups.KEPT_BY_ADMINS) for admin in admins]
    people = [make_user(password=None) for _ in range(6)]
    ids, gone = [each.pk for each in people], people[-1]
    shifts = [Group.objects.create(name=f"Shift {number}") for number in range(2)]
    names = ["Night", "night", "NIGHT"]
    made = [partial(create_group, caller=each, name=name) for each, name in zip(callers, names, strict=True)]
    joining = [
        partial(update_group, caller=each, group_id=shift.pk, change=change)
        for each in callers
        for shift in shifts
        for change in (
            GroupChange(add=ids), GroupChange(permissions=["orders.view_order"], add=list(reversed(ids[:3])))
        )
    ]  # fmt: skip
    others = [Group.objects.create(name=f"Other {number}") for number in range(3)]
    renaming = [
        partial(update_group, caller=callers[0], group_id=other.pk, change=GroupChange(name=name))
        for other, name in zip(others, ["Late", "late", "LATE"], strict=True)
    ]
    demoting = [
        partial(set_roles, caller=callers[0], user_id=admins[1].pk, roles=[Role.ADMIN, Role.SUPPORT]),
        partial(erase_customer, caller=Caller(admins[2].pk, permissions=groups.KEPT_BY_ADMINS), user_id=gone.pk),
    ]
    answers = at_once([*made, *renaming, *joining, *demoting])
    assert sum(isinstance(each, Group) for each in answers[: len(made)]) == 1
    assert Group.objects.filter(name__iexact="late").count() == 1
    for shift in shifts:
        assert set(shift.user_set.values_list("pk", flat=True)) >= set(ids[:3])
        assert not shift.user_set.filter(pk=gone.pk).exists()
        assert permission_codes(shift) == {"view_order"}


def test_a_group_that_is_dissolved_at_once_is_told_of_once() -> None:
    caller = Caller(make_user(role=Role.ADMIN, password=None).pk, permissions=groups.KEPT_BY_ADMINS)
    shift = Group.objects.create(name="Shift")
    user = make_user(password=None)
    joining = partial(update_group, caller=caller, group_id=shift.pk, change=GroupChange(add=[user.pk]))
    answers = at_once([partial(delete_group, caller=caller, group_id=shift.pk), joining] * 4)
    assert answers[::2].count(None) == 1
    assert OutboxEvent.objects.filter(topic="group.deleted").count() == 1
    assert not user.groups.exists()


def permission_codes(group: Group) -> set[str]:
    return set(group.permissions.values_list("codename", flat=True))


def test_admins_who_close_each_other_at_once_leave_one() -> None:
    admins = [make_user(role=Role.ADMIN, password=None) for _ in range(6)]
    given = {"change": ProfileChange(), "active": False, "country": "US"}
    may = frozenset({"accounts.view_user"})
    pairs = zip(admins, [*admins[1:], admins[0]], strict=True)
    at_once(
        [
            partial(update_customer, caller=Caller(one.pk, permissions=may), user_id=other.pk, **given)
            for one, other in pairs
        ]
    )
    assert User.objects.filter(pk__in=[admin.pk for admin in admins], is_active=True).exists()


def test_an_account_that_is_erased_at_once_is_erased_and_told_once() -> None:
    admins = [make_user(role=Role.ADMIN, password=None) for _ in range(4)]
    ada = make_user("ada@example.com", password=None)
    may = frozenset({"accounts.view_user"})
    callers = [Caller(admin.pk, permissions=may) for admin in admins]
    given = {"change": ProfileChange(first_name="Ghost"), "active": True, "country": "US"}
    changes = [partial(update_customer, caller=caller, user_id=ada.pk, **given) for caller in callers]
    answers = at_once([*(partial(erase_customer, caller=caller, user_id=ada.pk) for caller in callers * 2), *changes])
    assert answers[: len(callers) * 2].count(None) == 1
    ada.refresh_from_db()
    assert (ada.first_name, ada.is_active) == ("", False)
    told = [event.data["to"] for event in OutboxEvent.objects.filter(key=str(ada.pk)) if "to" in event.data]
    assert told == ["ada@example.com"]


def test_nothing_is_kept_of_somebody_who_writes_while_they_are_erased() -> None:
    """What waits for the row of somebody who leaves finds nobody there."""
    ada = make_customer()
    user = User.objects.get(pk=ada.user_id)
    who = {"user_id": user.pk, "session_id": open_session(user=user).session.pk}
    enable_second_factor(**who)
    writes = [
        partial(create_address, caller=ada, address=ADDRESS),
        partial(apply_as_vendor, caller=ada, application=Application("Hill", "hill@example.com")),
        partial(create_cart, caller=ada, currency="USD"),
        partial(update_profile, user_id=user.pk, change=ProfileChange(first_name="Ghost"), country="US"),
        partial(enable_second_factor, **who),
        partial(confirm_second_factor, **who, code=code_of(user), network="10.0.0.1"),
    ]
    at_once([*writes, partial(delete_user, candidate=Candidate(user, user.password), proof=Proof(right=True)), *writes])
    user.refresh_from_db()
    assert user.first_name == ""
    for model in (SavedAddress, VendorMember, Cart, Authenticator, RecoveryCode):
        assert not model.objects.exists(), model  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["handed over", "erased"])
def test_an_account_whose_cart_is_ordered_meanwhile_waits_for_nothing_that_waits_for_it(how: str) -> None:
    """Each order goes where its cart said, or is refused as it goes nowhere."""
    variant = make_product(stock=50).variants.get()
    commands: list[Any] = []
    for user in [make_user(password=None) for _ in range(9)]:
        cart = make_cart((variant, 1), caller=caller_of(user))
        request = PlaceOrder(idempotency_key=str(user.pk), cart_id=cart.pk)
        commands.append(partial(place_order, caller=caller_of(user), shop=default_context(), request=request))
        handing_over = partial(reset_password, token=PASSWORD_LINK.token(user), new_hash="!")
        commands.append(handing_over if how == "handed over" else partial(leave, user))
    assert not any(isinstance(each, DomainError) for each in at_once(commands)[1::2])
    assert not Cart.objects.filter(status="OPEN").exclude(email="", shipping_address=None).exists()


def test_owners_whose_accounts_are_closed_at_once_leave_nothing_that_sells() -> None:
    owner, other = make_user(password=None), make_user(password=None)
    vendor = make_vendor(owner=owner)
    VendorMember.objects.create(vendor=vendor, user=other, role=OWNER)
    admin = make_user(role=Role.ADMIN, password=None)
    given = {"change": ProfileChange(), "active": False, "country": "US"}
    caller = Caller(admin.pk, permissions=frozenset({"accounts.view_user"}))
    at_once([partial(update_customer, caller=caller, user_id=each.pk, **given) for each in (owner, other)])
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.SUSPENDED


def test_owners_who_send_each_other_away_at_once_leave_one() -> None:
    vendor = make_vendor()
    other = VendorMember.objects.create(vendor=vendor, user=make_user(password=None), role=OWNER)
    first = vendor.members.exclude(pk=other.pk).get()
    answers = at_once(
        [
            partial(remove_member, caller=Caller(first.user_id), member_id=other.pk),
            partial(remove_member, caller=Caller(other.user_id), member_id=first.pk),
        ]
    )
    assert sum(isinstance(answer, DomainError) for answer in answers) == 1
    assert vendor.members.filter(role=OWNER).count() == 1


def test_an_invitation_that_is_accepted_at_once_is_accepted_once() -> None:
    vendor = make_vendor()
    clerk = make_user("clerk@example.com", password=None, email_verified_at=clock.now())
    invitation = VendorInvitation.objects.create(vendor=vendor, email="clerk@example.com", sent_at=clock.now())
    accept = partial(accept_invitation, caller=caller_of(clerk), token=token_of(invitation))
    answers = at_once([accept] * 8)
    assert sum(not isinstance(answer, DomainError) for answer in answers) == 1
    assert (vendor.members.count(), VendorInvitation.objects.count()) == (2, 0)
    assert Role.VENDOR in grants_by_user([clerk.pk])[clerk.pk].roles


def test_owners_who_leave_the_shop_at_once_leave_nothing_that_sells() -> None:
    """While one of them invites somebody, and another sends a clerk away."""
    owners = [make_user(password=None) for _ in range(3)]
    clerk = make_user(password=None)
    vendor = make_vendor(owner=owners[0], clerks=(clerk,))
    for owner in owners[1:]:
        VendorMember.objects.create(vendor=vendor, user=owner, role=OWNER)
    place = vendor.members.get(user=clerk)
    at_once(
        [
            *(partial(leave, owner) for owner in owners),
            partial(invite_clerk, caller=caller_of(owners[0]), vendor_id=vendor.pk, email="new@example.com"),
            partial(remove_member, caller=caller_of(owners[1]), member_id=place.pk),
        ]
    )
    vendor.refresh_from_db()
    assert vendor.status == VendorStatus.SUSPENDED
    assert not vendor.members.filter(role=OWNER).exists()


def leave(user: User) -> None:
    delete_user(candidate=Candidate(user, user.password), proof=Proof(right=True))
