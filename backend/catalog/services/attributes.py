"""Saving attributes: what products of a kind have."""

from django.db import transaction

from backend.catalog.models import Attribute
from backend.catalog.services.data import AttributeData
from backend.core.errors import Invalid, refuse
from backend.core.saving import KEEP, Outcome, assign, given, problems

_COLUMNS = ("label", "kind", "position", "translations")


@transaction.atomic
def save_attribute(*, data: AttributeData) -> Outcome:
    """Create the attribute of that key, or bring it in step. Raises Invalid for another kind while it has values."""
    values = given(data, _COLUMNS)
    refuse(problems(Attribute, {"key": data.key, **values}))
    attribute = Attribute.objects.filter(key=data.key).first()
    if attribute is None:
        Attribute.objects.create(key=data.key, **values)
        return Outcome.CREATED
    if data.kind not in (KEEP, attribute.kind) and attribute.values.exists():
        message = f"The attribute {data.key!r} has values: it stays a {attribute.kind.lower()}."
        raise Invalid(message, field=["kind"])
    changed = assign(attribute, values)
    if not changed:
        return Outcome.UNCHANGED
    attribute.save(update_fields=changed)
    return Outcome.UPDATED
