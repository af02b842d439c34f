"""What `dramatiq workers.main` and `periodiq workers.main` load."""

from workers import outbox_relay, schedule
from workers.actors import notifications, payments
from workers.broker import broker

__all__ = ["broker", "notifications", "outbox_relay", "payments", "schedule"]
