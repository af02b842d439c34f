"""Who is more than a customer, and whose account may do more than somebody's own: inactive or not."""

from django.contrib.auth.models import Permission
from django.db.models import Q

from backend.accounts.models import User
from backend.accounts.roles import GROUP_NAMES
from backend.core.caller import Role


def is_more_than_customer(user: User) -> bool:
    """Whether somebody works for the shop or one of its vendors, or was given any right beside a customer's."""
    if user.is_staff or user.is_superuser or user.user_permissions.exists():
        return True
    return user.groups.exclude(name=GROUP_NAMES[Role.CUSTOMER]).exists()


def may_edit(editor: User, user: User) -> bool:
    """Whether an account may do nothing that its editor may not: else whoever edits it could go on as its owner."""
    if editor.is_superuser:
        return True
    return not user.is_superuser and permissions_of(user) <= editor.get_all_permissions()


def permissions_of(user: User) -> set[str]:
    """What somebody would have when active: Django answers with nothing for those who are not."""
    rows = Permission.objects.filter(Q(group__user=user) | Q(user=user)).distinct()
    return {f"{app}.{code}" for app, code in rows.values_list("content_type__app_label", "codename")}
