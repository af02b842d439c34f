"""Vendors: those who sell in the shop. A vendor is a row, not a channel."""

from django.conf import settings
from django.db import models

from backend.core.models import TimestampedModel


class VendorStatus(models.TextChoices):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    SUSPENDED = "SUSPENDED"


class Vendor(TimestampedModel):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=VendorStatus, default=VendorStatus.PENDING)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=VendorStatus.values), name="vendor_status_known")
        ]

    def __str__(self) -> str:
        return self.name


class VendorMember(models.Model):
    """A person who works for a vendor."""

    class Role(models.TextChoices):
        OWNER = "OWNER"
        CLERK = "CLERK"

    vendor = models.ForeignKey(Vendor, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="vendor_memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.CLERK)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vendor", "user"], name="vendor_member_once")]
