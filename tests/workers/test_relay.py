"""From the outbox to the actors, on the real broker."""

import dramatiq
import pytest
from django.db import transaction
from django_redis import get_redis_connection
from dramatiq import Worker

import workers.main
from backend.core import clock, outbox
from backend.core.models import OutboxEvent
from backend.notifications.models import SentEmail
from tests.factories.orders import make_order, make_paid_order
from workers import schedule
from workers.broker import broker
from workers.outbox_relay import nudge, relay_outbox
from workers.routes import ROUTES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_broker() -> None:
    broker.flush_all()


def waiting(queue: str) -> int:
    return int(get_redis_connection("default").llen(f"cartograph:{queue}"))


def work_until_empty(*queues: str) -> None:
    """Let a real worker do all that waits."""
    worker = Worker(broker, worker_timeout=50, worker_threads=2)
    worker.start()
    try:
        for _ in range(3):  # the relay's messages make more messages
            for queue in queues:
                broker.join(queue, timeout=20_000)
    finally:
        worker.stop()


def test_an_event_reaches_its_actor_and_its_subscribers_once_it_is_committed() -> None:
    order = make_paid_order()
    listener = get_redis_connection("default").pubsub()
    listener.subscribe(f"order:{order.pk}")
    listener.get_message(timeout=5)
    relay_outbox()
    assert waiting("notifications") == 1
    assert listener.get_message(timeout=5)["data"] in (b"order.placed", b"order.paid")
    assert OutboxEvent.objects.filter(relayed_at__isnull=True).count() == 0
    relay_outbox()
    assert waiting("notifications") == 1


def test_what_was_rolled_back_is_never_told() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.emit("order.paid", key="x")
        raise RuntimeError
    relay_outbox()
    assert waiting("outbox") == 0
    assert waiting("notifications") == 0


def test_a_delayed_event_waits_for_its_time_by_the_shops_clock() -> None:
    with transaction.atomic():
        outbox.emit("refund.requested", key="7d3f1a06-5b1c-4e7e-8a63-0f6f0b8e6f7a", delay_s=600)
    relay_outbox()
    assert waiting("payments") == 0
    clock.move_offset(601)
    relay_outbox()
    assert waiting("payments") == 1


def test_many_commits_need_one_nudge() -> None:
    for _ in range(20):
        with transaction.atomic():
            outbox.emit("nothing.happened", key="x")
    assert waiting("outbox") == 1
    relay_outbox()
    nudge()
    assert waiting("outbox") == 2


def test_a_broker_that_is_away_does_not_fail_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise dramatiq.errors.ConnectionClosed("away")

    monkeypatch.setattr(broker, "enqueue", away)
    order = make_order()
    assert order.pk
    assert "could not be nudged" in caplog.text


def test_a_worker_turns_a_paid_order_into_one_email(mailoutbox: list[object]) -> None:
    order = make_paid_order()
    work_until_empty("outbox", "notifications")
    assert SentEmail.objects.filter(recipient=order.email).count() == 1
    OutboxEvent.objects.update(relayed_at=None)
    relay_outbox()
    work_until_empty("notifications")
    assert SentEmail.objects.count() == 1
    assert len(mailoutbox) == 1


def test_every_route_leads_to_an_actor_that_says_how_patient_it_is() -> None:
    assert workers.main.broker is broker
    actors = {(actor.queue_name, actor.actor_name): actor for actor in broker.actors.values()}
    for routes in ROUTES.values():
        for route in routes:
            options = actors[(route.queue, route.actor)].options
            assert {"max_retries", "time_limit"} <= options.keys()


def test_every_entry_of_the_timetable_is_an_actor_with_a_cron_line() -> None:
    names = {actor.actor_name for actor in schedule.ACTORS}
    assert {"expire_unpaid_orders", "delete_expired_carts", "verify_silent_payments"} <= names
    assert all("periodic" in actor.options for actor in schedule.ACTORS)


def test_a_minutes_sweeps_are_five_seconds_apart() -> None:
    schedule.sweep_outbox()
    assert waiting("outbox") + waiting("outbox.DQ") == 12
