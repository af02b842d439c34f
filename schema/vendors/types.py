"""Those who sell in the shop."""

import strawberry
import strawberry_django

from backend.vendors import models
from schema.engine import ColumnField
from schema.server.node import Node, integer_keys, register


@strawberry_django.type(models.Vendor, name="Vendor", field_cls=ColumnField, description="Somebody who sells here.")
class Vendor(Node):
    name: str = strawberry.field(description="The vendor's name.")
    slug: str = strawberry.field(description="The vendor's name in addresses: unique, stable.")
    description: str = strawberry.field(description="What the vendor says of itself.")


def load(_context: object, keys: list[str]) -> dict[str, models.Vendor]:
    rows = models.Vendor.objects.filter(pk__in=integer_keys(keys), status=models.VendorStatus.APPROVED)
    return {str(row.pk): row for row in rows}


register("Vendor", models.Vendor, load)
