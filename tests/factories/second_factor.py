"""Authenticator apps."""

from django_otp.oath import TOTP

from backend.accounts import services
from backend.accounts.models import Authenticator, User
from backend.accounts.sealing import unseal
from backend.core import clock
from backend.core.ids import encode

NETWORK = "192.0.2.1"


def code_of(user: User, *, ahead: int = 0) -> str:
    """What the user's app shows now, or some time steps later."""
    app = TOTP(unseal(Authenticator.objects.get(user=user).sealed_key))
    app.time = clock.now().timestamp() + ahead * Authenticator.STEP_S
    return f"{app.token():06d}"


def give_second_factor(user: User) -> list[str]:
    """Enable an app for somebody, by the code of the step before; returns their recovery codes."""
    session = services.open_session(user=user).session
    who = {"user_id": user.pk, "session_id": session.pk}
    services.enable_second_factor(**who)
    codes = services.confirm_second_factor(**who, code=code_of(user, ahead=-1), network=NETWORK)
    session.delete()
    return codes


def challenge_of(user: User) -> str:
    """The id of a challenge that the user's second factor answers."""
    challenge = services.complete_sign_in(user=user)
    assert not isinstance(challenge, services.Tokens)
    return encode("Challenge", challenge.pk)
