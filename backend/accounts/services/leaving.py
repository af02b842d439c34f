"""Taking one's data along, and leaving."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from backend.accounts import marks
from backend.accounts.errors import InvalidCredentials
from backend.accounts.models import Customer, Session, User
from backend.accounts.services.credentials import Candidate, Proof
from backend.accounts.services.registration import MAIL
from backend.accounts.services.rights import check_may_leave
from backend.accounts.services.sessions import end_sessions
from backend.core import outbox, personal


@transaction.atomic
def export_data(*, user_id: int) -> dict[str, Any]:
    """Everything that the shop knows of somebody, by domain."""
    return {part.name: part.export(user_id) for part in personal.parts()}


def delete_user(*, candidate: Candidate, proof: Proof) -> None:
    """Forget somebody who has shown their password: their data is erased, their orders are kept without them.

    Raises InvalidCredentials, or Invalid for the last admin, without whom nobody could give roles.
    """
    if candidate.user is None or not proof.right:
        raise InvalidCredentials("This is not your password.", field=["password"])
    erase_user(candidate.user, by=candidate.user.pk, password=candidate.password)


def close_account(user_id: int) -> None:
    """What has to follow when staff have closed somebody's account. Their row is locked, and saved as closed."""
    for part in personal.parts():
        part.close(user_id)


def erase_user(
    user: User, *, by: int | None, password: str | None = None, check: Callable[[User], None] | None = None
) -> None:
    """Erase what is known of somebody, if their password is still the one that was shown. They get a last mail.

    `by` is whose decision it was, as `user.erased` tells. `check` looks once more at what was looked at before: with
    nobody changing it any more, it may refuse.
    """
    with transaction.atomic():
        check_may_leave(user)
        # Rows that point to them can still be written: an order that is being placed may hold the cart that is erased.
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        if check is not None:
            check(user)
        if password is not None and user.password != password:
            raise InvalidCredentials("This is not your password.", field=["password"])
        ended = end_sessions(Session.objects.filter(user=user))
        language = Customer.objects.filter(user=user).values_list("language", flat=True).first() or ""
        told = {"kind": "account_deleted", "to": user.email, "language": language}  # nobody knows them any more then
        outbox.emit(MAIL, key=str(user.pk), data=told)
        outbox.emit("user.erased", key=str(user.pk), data={"by": by})
        for part in personal.parts():
            part.erase(user.pk)
    marks.tell_ended(ended)
