"""What must follow when somebody's roles or permissions were changed, wherever that was."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from backend.accounts import marks
from backend.accounts.models import Session, User
from backend.accounts.services.sessions import end_sessions
from backend.core import clock


def rights_changed(user_ids: Collection[int]) -> None:
    """Have the next request of each of these users read their rights anew; whoever is inactive is signed out."""
    with transaction.atomic():
        User.objects.filter(pk__in=user_ids).update(rights_version=F("rights_version") + 1)
        ended = end_sessions(Session.objects.filter(user_id__in=user_ids, user__is_active=False))
        living = Session.objects.filter(user_id__in=user_ids, revoked_at=None, expires_at__gt=clock.now())
        versions = dict(living.values_list("pk", "user__rights_version"))
    marks.tell_ended(ended)
    marks.tell_rights(versions)
