"""The people of the demo shop: a customer, a vendor, and staff of each role."""

from django.contrib.auth.models import Group

from backend.accounts.models import User
from backend.accounts.roles import ready_roles
from backend.core import clock
from backend.core.demo import DEMO_USERS, DemoUser
from backend.vendors.models import Vendor, VendorMember

_GROUPS = {
    "vendor": "Vendors",
    "product manager": "Product managers",
    "order manager": "Order managers",
    "support": "Support",
}
_IN_THE_ADMIN = {"product manager", "order manager", "support"}


def invite_people() -> int:
    """Make the demo users who are not there, and tell how many. The first vendor there is gets its owner."""
    groups = ready_roles()
    missing = [person for person in DEMO_USERS if not User.objects.filter(email__iexact=person.email).exists()]
    for person in missing:
        _make(person, groups)
    return len(missing)


def _make(person: DemoUser, groups: dict[str, Group]) -> None:
    given = {"first_name": "Demo", "last_name": person.role.title(), "email_verified_at": clock.now()}
    if person.role == "admin":
        User.objects.create_superuser(person.email, person.password, **given)
        return
    group = _GROUPS.get(person.role)
    user = User.objects.create_user(person.email, person.password, is_staff=person.role in _IN_THE_ADMIN, **given)
    if group is not None:
        user.groups.add(groups[group])
    if person.role == "vendor":
        vendor = Vendor.objects.order_by("pk").first()
        if vendor is not None:
            VendorMember.objects.create(vendor=vendor, user=user, role=VendorMember.Role.OWNER)
