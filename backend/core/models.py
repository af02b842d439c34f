"""Tables that every domain shares: the outbox, its consumers' marks, and idempotency keys."""

import uuid

from django.db import models
from django.db.models.functions import Now


class TimestampedModel(models.Model):
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class OutboxEvent(models.Model):
    """A domain event, written in the transaction of the change it tells of.

    `topic` is past tense ("order.paid"), `key` names the subject (an order's UUID), `data` holds ids and plain
    values. It is relayed once `available_at` has come; a relayed row has `relayed_at`.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    topic = models.CharField(max_length=100)
    key = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["available_at", "id"],
                name="outbox_waiting",
                condition=models.Q(relayed_at__isnull=True),
            ),
            models.Index(fields=["relayed_at"], name="outbox_relayed", condition=models.Q(relayed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class ProcessedEvent(models.Model):
    """A consumer's mark that it has done its part for an event: the second time does nothing."""

    event_id = models.UUIDField()
    consumer = models.CharField(max_length=100)
    processed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_id", "consumer"], name="processed_event_once"),
        ]


class IdempotencyKey(models.Model):
    """A client's key for a write that it may repeat, with the fingerprint of its input and the result's id."""

    scope = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    result_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]
