"""What the shop has told people."""

from django.db import models


class SentEmail(models.Model):
    """One email, once per domain event and kind: a second delivery of the event finds it here."""

    event_id = models.UUIDField()
    kind = models.CharField(max_length=50)
    recipient = models.EmailField()
    subject = models.CharField(max_length=300)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "kind"], name="email_once_per_event")]
