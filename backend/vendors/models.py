"""Vendors: those who sell in the shop. A vendor is a row, not a channel."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from backend.core.models import TimestampedModel


class VendorStatus(models.TextChoices):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    SUSPENDED = "SUSPENDED"


class Vendor(TimestampedModel):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    email = models.EmailField(blank=True, help_text="Where the shop reaches the vendor; shoppers do not see it.")
    status = models.CharField(max_length=20, choices=VendorStatus, default=VendorStatus.PENDING)
    suspension_reason = models.CharField(max_length=500, blank=True, help_text="Why; the vendor's people see it.")

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

    def __str__(self) -> str:
        return f"{self.user_id} of {self.vendor_id}"


class VendorInvitation(models.Model):
    """Somebody who is asked by mail to work for a vendor. Accepted or taken back, the row is gone.

    A mail's link holds `sent_at`: asked again, only the newest link is good.
    """

    vendor = models.ForeignKey(Vendor, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("vendor", Lower("email"), name="vendor_invitation_once")]

    def __str__(self) -> str:
        return f"{self.email} for {self.vendor_id}"
