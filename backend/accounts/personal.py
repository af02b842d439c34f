"""Accounts' part of what is known of a person."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from social_django.models import UserSocialAuth

from backend.accounts.models import GONE, Authenticator, Challenge, Customer, RecoveryCode, SavedAddress, Session, User
from backend.core.personal import PersonalData


def export(user_id: int) -> dict[str, Any]:
    columns = ("email", "username", "first_name", "last_name", "phone", "pending_email")
    dates = ("email_verified_at", "phone_verified_at", "date_joined", "last_login")
    user = User.objects.values(*columns, *dates).get(pk=user_id)
    sessions = Session.objects.filter(user_id=user_id).order_by("created_at")
    app = Authenticator.objects.filter(user_id=user_id, confirmed=True).values_list("created_at", flat=True)
    return {
        **user,
        "language": Customer.objects.filter(user_id=user_id).values_list("language", flat=True).first(),
        "roles": list(Group.objects.filter(user=user_id).order_by("name").values_list("name", flat=True)),
        "second_factor_since": app.first(),
        "recovery_codes_left": RecoveryCode.objects.filter(user_id=user_id).count(),
        "addresses": [
            {name: value for name, value in row.items() if name not in ("id", "user_id")}
            for row in SavedAddress.objects.filter(user_id=user_id).order_by("pk").values()
        ],
        "providers": list(UserSocialAuth.objects.filter(user_id=user_id).values("provider", "uid", "created")),
        "sessions": list(sessions.values("user_agent", "created_at", "last_used_at", "revoked_at")),
    }


def erase(user_id: int) -> None:
    """Leave a row that nobody can sign in with and that tells nothing: orders and records of staff point to it."""
    Session.objects.filter(user_id=user_id).delete()
    for model in (SavedAddress, Authenticator, RecoveryCode, Challenge, UserSocialAuth):
        model.objects.filter(user_id=user_id).delete()
    user = User.objects.get(pk=user_id)
    Challenge.objects.filter(destination__in=[user.email, user.phone or user.email]).delete()
    user.groups.clear()
    user.user_permissions.clear()
    User.objects.filter(pk=user_id).update(
        email=f"deleted-{user_id}{GONE}",
        username=None,
        first_name="",
        last_name="",
        phone="",
        pending_email="",
        email_verified_at=None,
        phone_verified_at=None,
        last_login=None,
        password=make_password(None),
        is_active=False,
        is_staff=False,
        is_superuser=False,
    )
    Customer.objects.filter(user_id=user_id).update(language="")


def hand_over(user_id: int) -> None:
    """The addresses stay, to be chosen; none is chosen by itself. The user is locked."""
    SavedAddress.objects.filter(user_id=user_id).update(is_default_shipping=False, is_default_billing=False)


ACCOUNT = PersonalData("account", export, erase, hand_over=hand_over)
