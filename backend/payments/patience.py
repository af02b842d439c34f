"""How long the shop waits before it asks a gateway again: pure arithmetic on times."""

from datetime import datetime, timedelta

SILENT = timedelta(minutes=2)
"""How long a new payment or refund is left alone, and the shortest time between two questions."""
LONGEST = timedelta(days=1)
FORGOTTEN = timedelta(days=7)
"""From this age on a payment is not asked about any more; a webhook or the buyer's return still settles it."""


def next_question(created_at: datetime, moment: datetime) -> datetime:
    """When to ask again about something of that age, asked about at `moment`.

    A quarter of its age: some thirty questions in a week, most of them while the buyer may still be there.
    """
    return moment + min(max(SILENT, (moment - created_at) / 4), LONGEST)


REFUND_DOUBTED = timedelta(days=1)
"""How long a gateway without keys is asked what became of a refund, before a person has to look."""
