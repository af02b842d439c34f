"""Links in mails: signed, good for a while, and once, because what they change is part of what is signed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer

from backend.accounts.errors import TokenExpired, TokenInvalid
from backend.accounts.models import User
from backend.core import clock

MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Link:
    """One kind of link. `state` is what of a user must still be as it was when the link was made."""

    purpose: str
    lives: Callable[[], timedelta]
    state: Callable[[User], tuple[object, ...]]

    def token(self, user: User) -> str:
        content = {"u": user.pk, "t": int(clock.now().timestamp()), "s": self._fingerprint(user)}
        return self._signer().sign_object(content, compress=False)

    def user_of(self, token: str) -> User:
        """The user of a good token, locked. Raises TokenInvalid or TokenExpired.

        Rows that point to the user can still be written: an order that is being placed waits for nobody here, who may
        wait for its cart.
        """
        content = self._read(token)
        rows = User.objects.select_for_update(of=("self",), no_key=True)
        user = rows.filter(pk=content["u"], is_active=True).first()
        if user is None or content["s"] != self._fingerprint(user):
            raise TokenInvalid(field=["token"])
        if clock.now().timestamp() > content["t"] + self.lives().total_seconds():
            raise TokenExpired(field=["token"])
        return user

    def _read(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_LENGTH:
            raise TokenInvalid(field=["token"])
        try:
            content: dict[str, Any] = self._signer().unsign_object(token)
        except (BadSignature, ValueError) as error:
            raise TokenInvalid(field=["token"]) from error
        return content

    def _signer(self) -> Signer:
        return Signer(salt=f"cartograph.{self.purpose}")

    def _fingerprint(self, user: User) -> str:
        text = "\x1f".join(map(str, (self.purpose, user.pk, *self.state(user))))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


EMAIL_LINK = Link(
    "email",
    lambda: timedelta(hours=settings.EMAIL_LINK_HOURS),
    lambda user: (user.email, user.pending_email, user.email_verified_at),
)
PASSWORD_LINK = Link(
    "password",
    lambda: timedelta(minutes=settings.PASSWORD_LINK_MINUTES),
    lambda user: (user.email, user.password),
)
