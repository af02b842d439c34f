"""The timetable as periodiq sees it: one actor for each entry, and the outbox's sweep."""

from collections.abc import Callable

import dramatiq
from periodiq import cron

from backend.core.schedule import Entry, entries
from workers.outbox_relay import relay_outbox

QUEUE = "schedule"
SWEEP_S = 5
MINUTE_S = 60


def _actor(entry: Entry) -> dramatiq.Actor[[], None]:
    def run() -> None:
        entry.run()

    make: Callable[..., dramatiq.Actor[[], None]] = dramatiq.actor
    return make(
        run, actor_name=entry.name, queue_name=QUEUE, max_retries=0, time_limit=300_000, periodic=cron(entry.cron)
    )


ACTORS = [_actor(entry) for entry in entries()]


@dramatiq.actor(queue_name=QUEUE, max_retries=0, time_limit=10_000, periodic=cron("* * * * *"))
def sweep_outbox() -> None:
    """Cron counts in minutes: each minute orders its own sweeps, one every five seconds."""
    for seconds in range(0, MINUTE_S, SWEEP_S):
        relay_outbox.send_with_options(delay=seconds * 1000 or None)
