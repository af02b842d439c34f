"""The one place that makes the Dramatiq broker: Redis, or RabbitMQ where BROKER_URL says amqp://."""

from typing import Any

import dramatiq
from django.conf import settings
from django.db import connections
from dramatiq.middleware import AgeLimit, Middleware, Pipelines, Retries, ShutdownNotifications, TimeLimit
from periodiq import PeriodiqMiddleware

NAMESPACE = "cartograph"


class DatabaseConnections(Middleware):
    """A connection that broke in one message is replaced before the next; good ones are kept."""

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()

    def before_worker_thread_shutdown(self, broker: dramatiq.Broker, thread: Any) -> None:
        connections.close_all()


def make_broker(url: str) -> dramatiq.Broker:
    middleware = [
        AgeLimit(),
        TimeLimit(),
        ShutdownNotifications(),
        Pipelines(),
        Retries(),
        DatabaseConnections(),
        PeriodiqMiddleware(skip_delay=50),
    ]
    if url.startswith(("amqp://", "amqps://")):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url, middleware=middleware)
    from dramatiq.brokers.redis import RedisBroker

    make: Any = RedisBroker
    broker: dramatiq.Broker = make(url=url, namespace=NAMESPACE, middleware=middleware)
    return broker


broker = make_broker(settings.BROKER_URL)
dramatiq.set_broker(broker)
