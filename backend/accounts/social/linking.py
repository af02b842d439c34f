"""Whose account it is that somebody comes to with a provider's word: the shop's own step of the pipeline."""

from typing import Any

from django.db import transaction

from backend.accounts import checking
from backend.accounts.errors import AccountClosed, EmailNotConfirmed, NotTakenOver, TokenInvalid
from backend.accounts.models import Customer, User
from backend.accounts.power import is_more_than_customer
from backend.accounts.services.handing_over import hand_over
from backend.accounts.services.registration import MAIL
from backend.accounts.services.second_factor import forget_second_factor
from backend.accounts.services.sessions import end_sessions
from backend.core import clock, outbox


def find_or_make_user(backend: Any, details: dict[str, Any], response: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """The user who came this way before; or who has the address, if the provider has verified it; or a new one.

    Raises EmailNotConfirmed where the provider has verified no address: else anybody could come as anybody. Raises
    NotTakenOver for an unverified account with any right beside a customer's: those nobody comes by in this way.
    """
    if kwargs.get("user") is not None:
        return {"user": _still_linked(kwargs["user"], kwargs["social"]), "is_new": False}
    address = backend.verified_email(response)
    if not isinstance(address, str):
        raise EmailNotConfirmed(field=["provider"])
    email = checking.clean_email(address, "provider")
    user = User.objects.with_login(email).select_for_update(of=("self",), no_key=True).first()
    if user is None:
        return {"user": _new_user(email, details, kwargs["language"]), "is_new": True}
    _check_open(user)
    if user.email_verified_at is None:
        if is_more_than_customer(user):
            raise NotTakenOver(field=["provider"])
        _take_over(user)
    outbox.emit(MAIL, key=str(user.pk), data={"kind": "social_linked"})
    return {"user": user, "is_new": False}


def _still_linked(user: User, link: Any) -> User:
    """The user, locked. Whoever takes the account from a stranger unlinks what is the stranger's: after that it opens
    nothing. Raises TokenInvalid."""
    locked = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    _check_open(locked)
    if not type(link).objects.filter(pk=link.pk).exists():
        raise TokenInvalid(field=["state"])
    return locked


def _check_open(user: User) -> None:
    if not user.is_active:
        raise AccountClosed(field=["provider"])


def _new_user(email: str, details: dict[str, Any], language: str) -> User:
    """Without a password. Whoever else registers this address in the same moment: the unique column decides."""
    with transaction.atomic():
        user = User.objects.create_user(
            email,
            first_name=_name(details, "first_name"),
            last_name=_name(details, "last_name"),
            date_joined=clock.now(),
            email_verified_at=clock.now(),
        )
        Customer.objects.filter(user=user).update(language=language)
        outbox.emit("user.registered", key=str(user.pk))
        outbox.emit("user.email_verified", key=str(user.pk))
    return user


def _take_over(user: User) -> None:
    """Give an account to whoever has shown that its address is theirs, and leave nothing to whoever registered it.

    That may have been a stranger, who waits for the owner to come: with the password, a session, a second factor, a
    phone number or an address of their own. The row is locked.
    """
    moment = clock.now()
    user.set_unusable_password()
    user.email_verified_at, user.pending_email = moment, ""
    user.phone, user.phone_verified_at = "", None
    user.save(update_fields=["password", "email_verified_at", "pending_email", "phone", "phone_verified_at"])
    forget_second_factor(user)
    user.ended_sessions = end_sessions(user.sessions.all())  # type: ignore[attr-defined]
    hand_over(user)


def _name(details: dict[str, Any], name: str) -> str:
    """A name as far as it fits: what a provider says is nobody's input to refuse."""
    text = details.get(name)
    return "".join(each for each in text if each.isprintable())[:150] if isinstance(text, str) else ""
