"""When the owner of an address comes to an account that somebody may have registered with it, who was not them."""

from social_django.models import UserSocialAuth

from backend.accounts.models import User
from backend.core import outbox, personal


def hand_over(user: User) -> None:
    """Leave no provider that a stranger has linked, and nothing of theirs where the owner would take it for their own.

    The row is locked; that the address is its owner's is saved by the caller. Emits `user.email_verified`.
    """
    UserSocialAuth.objects.filter(user=user).delete()
    for part in personal.parts():
        part.hand_over(user.pk)
    outbox.emit("user.email_verified", key=str(user.pk))
