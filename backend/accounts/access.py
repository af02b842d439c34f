"""Who sees whom, and whose address it is: the only doors to one that somebody asks for."""

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from backend.accounts.models import GONE, SavedAddress, User
from backend.core.caller import Caller
from backend.core.errors import NotFound


class AddressNotFound(NotFound):
    """Also for somebody else's."""

    default_message = "You have no address with this id."


class UserNotFound(NotFound):
    """Also for one whom the caller may not see."""

    default_message = "There is no such account."


class GroupNotFound(NotFound):
    """Also for those who may not see groups."""

    default_message = "There is no such group."


VIEW_USERS = "accounts.view_user"
VIEW_GROUPS = "auth.view_group"


def visible_users(caller: Caller) -> QuerySet[User]:
    """Oneself; for those who may see users, everybody."""
    if caller.may(VIEW_USERS):
        return User.objects.all()
    return User.objects.none() if caller.user_id is None else User.objects.filter(pk=caller.user_id)


def access_user(
    *, caller: Caller, user_id: int | None, field: str = "id", lock: bool = False, closed: bool = False
) -> User:
    """An active account that the caller sees, or with `closed` any that was not erased.

    `user_id` is None when the id that was sent is none of ours. Raises UserNotFound.
    """
    rows = visible_users(caller)
    rows = rows.exclude(email__endswith=GONE) if closed else rows.filter(is_active=True)
    if lock:
        rows = rows.select_for_update(of=("self",))
    user = None if user_id is None else rows.filter(pk=user_id).first()
    if user is None:
        raise UserNotFound(field=[field])
    return user


def visible_groups(caller: Caller) -> QuerySet[Group]:
    return Group.objects.all() if caller.may(VIEW_GROUPS) else Group.objects.none()


def access_group(*, caller: Caller, group_id: int | None, field: str = "id") -> Group:
    """A group, locked, for those who may see groups; `group_id` is None when the id that was sent is none of ours.

    Raises GroupNotFound.
    """
    rows = visible_groups(caller).select_for_update(no_key=True)
    group = None if group_id is None else rows.filter(pk=group_id).first()
    if group is None:
        raise GroupNotFound(field=[field])
    return group


def visible_addresses(caller: Caller) -> QuerySet[SavedAddress]:
    """The caller's own; a guest has none."""
    return SavedAddress.objects.none() if caller.user_id is None else SavedAddress.objects.filter(user=caller.user_id)


def access_address(*, caller: Caller, address_id: int | None, field: str = "id") -> SavedAddress:
    """The caller's address; `address_id` is None when the id that was sent is none of ours.

    Raises AddressNotFound also for somebody else's.
    """
    address = None if address_id is None else visible_addresses(caller).filter(pk=address_id).first()
    if address is None:
        raise AddressNotFound(field=[field])
    return address
