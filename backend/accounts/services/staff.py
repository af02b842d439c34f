"""What the shop's own people do with somebody's account. Never with one that may do more than they may."""

from django.db import IntegrityError, transaction

from backend.accounts import checking, power
from backend.accounts.access import UserNotFound, access_user
from backend.accounts.errors import Forbidden
from backend.accounts.models import GONE, Customer, User
from backend.accounts.services.leaving import close_account, erase_user
from backend.accounts.services.profile import ProfileChange, apply_profile
from backend.accounts.services.registration import MAIL
from backend.accounts.services.rights import check_may_leave, rights_changed
from backend.core import outbox
from backend.core.caller import Caller
from backend.core.errors import Invalid
from backend.core.saving import Keep

CHANGE = "accounts.change_user"
DELETE = "accounts.delete_user"
_CHANGED = ("first_name", "last_name", "phone", "username", "email", "is_active")


def update_customer(
    *, caller: Caller, user_id: int | None, change: ProfileChange, active: bool | Keep, country: str
) -> User:
    """Change what is given of somebody's account, or close and open it. Closing signs them out everywhere, and
    suspends the vendors that they alone own.

    A new email address holds at once, unverified, and the old one is told. Emits `user.changed`, which names who did
    it and what, without the values: events are kept when somebody is erased. Raises UserNotFound, Forbidden for an
    account with more rights or one's own, and everything that is at fault, together.
    """
    try:
        with transaction.atomic():
            user = _access(caller, user_id, CHANGE)
            if active is False:
                check_may_leave(user)
            user = _access(caller, user_id, CHANGE, lock=True)
            before, old = _state(user), user.email
            apply_profile(user, change, country, _set_email)
            closed = not isinstance(active, Keep) and user.is_active != active
            if not isinstance(active, Keep):
                user.is_active = active
            user.save()
            if closed and not user.is_active:
                close_account(user.pk)
            changed = [name for name, value in _state(user).items() if value != before[name]]
            if changed:
                outbox.emit("user.changed", key=str(user.pk), data={"by": caller.user_id, "fields": changed})
            if user.email != old:
                outbox.emit(MAIL, key=str(user.pk), data={"kind": "email_changed", "to": old})
    except IntegrityError as error:
        raise Invalid("This username or email address is taken.") from error
    if closed:
        rights_changed([user.pk])
    return user


def erase_customer(*, caller: Caller, user_id: int | None) -> None:
    """Forget somebody who has asked the shop to, as `delete_user` does when they ask for themselves.

    Raises UserNotFound, Forbidden for an account with more rights or one's own, or Invalid for the last admin.
    """
    user = _access(caller, user_id, DELETE)
    erase_user(user, by=caller.user_id, check=lambda locked: _check(caller, locked, DELETE))


def _state(user: User) -> dict[str, object]:
    """What can be changed here, by name."""
    language = Customer.objects.filter(user=user).values_list("language", flat=True).first()
    return {name: getattr(user, name) for name in _CHANGED} | {"language": language}


def _access(caller: Caller, user_id: int | None, permission: str, *, lock: bool = False) -> User:
    """Somebody else's account, closed ones too. What one may not do is asked at this moment."""
    user = access_user(caller=caller, user_id=user_id, field="userId", closed=True, lock=lock)
    _check(caller, user, permission)
    return user


def _check(caller: Caller, user: User, permission: str) -> None:
    """Raises Forbidden, or UserNotFound for whom somebody else has erased a moment ago."""
    if user.email.endswith(GONE):
        raise UserNotFound(field=["userId"])
    editor = User.objects.filter(pk=caller.user_id or 0, is_active=True).first()
    if editor is None or not editor.has_perm(permission):
        raise Forbidden
    if user.pk == editor.pk:
        raise Forbidden("Your own account is changed by userUpdate, and left by userDelete.", field=["userId"])
    if not power.may_edit(editor, user):
        raise Forbidden("This account may do more than you may.", field=["userId"])


def _set_email(user: User, given: str | Keep) -> None:
    """Nobody has shown that an address which staff have typed is its owner's."""
    if isinstance(given, Keep) or given == user.email:
        return
    email = checking.clean_email(given)
    checking.check_email_is_free(email, but=user.pk)
    if email.lower() != user.email.lower():
        user.email_verified_at, user.pending_email = None, ""
    user.email = email
