"""The one gate through which every way of signing in passes, whatever has shown who somebody is."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from backend.accounts.errors import TokenInvalid
from backend.accounts.models import Challenge, ChallengeKind, User
from backend.accounts.services.credentials import Candidate, Proof, accept
from backend.accounts.services.sessions import Tokens, open_session
from backend.core import clock

MAX_CART_ID = 200


@transaction.atomic
def sign_in(
    *, candidate: Candidate, proof: Proof, user_agent: str = "", cart_id: str | None = None
) -> Tokens | Challenge:
    """Sign in by a password. A change of it ends this session too, or comes first: then it opens nothing.

    Raises InvalidCredentials, PasswordChanged, or what `complete_sign_in` raises.
    """
    user = accept(candidate, proof)
    return complete_sign_in(user=user, user_agent=user_agent, cart_id=cart_id)


@transaction.atomic
def complete_sign_in(*, user: User, user_agent: str = "", cart_id: str | None = None) -> Tokens | Challenge:
    """Tokens for somebody whose identity one factor has shown; a challenge where they have a second factor.

    `cart_id` is kept with the challenge, as it came, to be merged when it is answered. Raises TokenInvalid for whoever
    is inactive.
    """
    found = User.objects.filter(pk=user.pk, is_active=True).values_list("authenticator__confirmed", flat=True)
    if not found:
        raise TokenInvalid
    if found[0]:
        return new_challenge(ChallengeKind.TOTP, user=user, cart_id=cart_id)
    return open_session(user=user, user_agent=user_agent)


def new_challenge(
    kind: ChallengeKind, *, user: User | None = None, destination: str = "", cart_id: str | None = None
) -> Challenge:
    moment = clock.now()
    return Challenge.objects.create(
        kind=kind,
        user=user,
        destination=destination,
        cart_id=_kept(cart_id),
        created_at=moment,
        expires_at=moment + timedelta(minutes=settings.CODE_MINUTES),
    )


def forget_challenges(user: User) -> None:
    """Let nothing that was begun with a former password or device be finished."""
    Challenge.objects.filter(user=user).delete()


def _kept(cart_id: str | None) -> str:
    """A cart's id as far as it can be one. What is none costs nobody their sign-in."""
    fits = cart_id is not None and len(cart_id) <= MAX_CART_ID and cart_id.isascii() and cart_id.isprintable()
    return cart_id if fits and cart_id is not None else ""
