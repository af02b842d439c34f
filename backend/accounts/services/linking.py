"""More than one way in: linking providers to an account whose owner is signed in, and unlinking them."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from social_core.exceptions import SocialAuthBaseException
from social_core.pipeline.social_auth import social_uid
from social_django.models import UserSocialAuth

from backend.accounts.errors import LastWayIn, ProviderUnavailable
from backend.accounts.locking import lock_user
from backend.accounts.models import User
from backend.accounts.services.credentials import check_recent
from backend.accounts.services.registration import MAIL
from backend.accounts.services.social import Identity
from backend.accounts.social.providers import BACKENDS, SocialProvider
from backend.accounts.social.strategy import Strategy, backend_of
from backend.core import outbox
from backend.core.errors import Invalid


def link_provider(identity: Identity, *, user_id: int, session_id: UUID | None) -> User:
    """Let somebody's account at a provider open their account here, whatever address it has. Linking twice is once.

    Raises SignInAgain, or Invalid where it opens another account, or another one of this provider is linked.
    """
    backend: Any = backend_of(identity.begun.provider, Strategy(), identity.begun.redirect_uri)
    try:
        found: Any = social_uid(backend, backend.get_user_details(identity.response), identity.response)
        with transaction.atomic():
            user = lock_user(user_id, no_key=True)
            check_recent(session_id=session_id)  # whoever resets the password has ended it, or waits
            return _link(user, {"provider": backend.name, "uid": found["uid"], "id_key": found["id_key"]})
    except SocialAuthBaseException as error:
        raise ProviderUnavailable(field=["provider"]) from error
    except IntegrityError as error:  # linked elsewhere in the same moment
        raise _taken() from error


def _link(user: User, named: dict[str, str]) -> User:
    """The user is locked."""
    known = UserSocialAuth.objects.filter(**named).first()
    if known is not None and known.user_id != user.pk:
        raise _taken()
    if known is None:
        if UserSocialAuth.objects.filter(user=user, provider=named["provider"]).exists():
            raise Invalid("Another account of this provider is linked: unlink it first.", field=["provider"])
        UserSocialAuth.objects.create(user=user, **named)
        outbox.emit(MAIL, key=str(user.pk), data={"kind": "social_added"})
    return user


def unlink_provider(*, provider: SocialProvider, user_id: int, session_id: UUID | None) -> User:
    """Let a provider open the account no more. Raises SignInAgain, Invalid where it is not linked, or LastWayIn."""
    name = BACKENDS[provider].name
    with transaction.atomic():
        user = lock_user(user_id, no_key=True)
        check_recent(session_id=session_id)
        linked: Any = UserSocialAuth.objects.filter(user=user)
        if not linked.filter(provider=name).exists():
            raise Invalid("This provider is not linked.", field=["provider"])
        if not user.has_usable_password() and not linked.exclude(provider=name).exists():
            raise LastWayIn(field=["provider"])
        linked.filter(provider=name).delete()
        outbox.emit(MAIL, key=str(user.pk), data={"kind": "social_removed"})
    return user


def _taken() -> Invalid:
    return Invalid("This account of the provider's opens another account here.", field=["provider"])
