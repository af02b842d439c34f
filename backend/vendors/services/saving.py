"""Bringing vendors in step with what is imported."""

from django.db import transaction

from backend.core.errors import refuse
from backend.core.saving import KEEP, Keep, Outcome, assign, problems
from backend.vendors.models import Vendor


@transaction.atomic
def save_vendor(*, slug: str, name: str, description: str | Keep = KEEP, status: str | Keep = KEEP) -> Outcome:
    """Create the vendor of that slug, or bring it in step with what is given. Raises Invalid or Several."""
    values = {"name": name, "description": description, "status": status}
    values = {column: value for column, value in values.items() if value is not KEEP}
    refuse(problems(Vendor, {"slug": slug, **values}))
    vendor = Vendor.objects.filter(slug=slug).first()
    if vendor is None:
        Vendor.objects.create(slug=slug, **values)
        return Outcome.CREATED
    changed = assign(vendor, values)
    if not changed:
        return Outcome.UNCHANGED
    vendor.save(update_fields=[*changed, "updated_at"])
    return Outcome.UPDATED
