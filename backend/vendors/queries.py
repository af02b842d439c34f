"""Vendor reads."""

from collections.abc import Iterable

from backend.core.prepared import AnyOf, Read
from backend.vendors.models import Vendor

_BY_ID = Read[Vendor](lambda: Vendor.objects.filter(AnyOf("id", "ids")))


def vendors_by_id(ids: Iterable[int]) -> dict[int, Vendor]:
    return {row.pk: row for row in _BY_ID(ids=list(ids))}
