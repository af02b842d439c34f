"""What this process has done, as Prometheus reads it, for those who have the token. Counted elsewhere, read here."""

from collections.abc import Iterator
from secrets import compare_digest

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from schema.engine import EngineSchema

PATH = "/metrics"


class EngineCollector(Collector):
    """The engine's own counts, read when somebody asks: a request pays nothing for them but its `+= 1`."""

    def __init__(self, schema: EngineSchema) -> None:
        self._schema = schema

    def collect(self) -> Iterator[Metric]:
        engine = self._schema.engine
        yield GaugeMetricFamily(
            "cartograph_engine_on", "Whether queries run breadth first (ENGINE).", engine is not None
        )
        if engine is None:
            return
        yield CounterMetricFamily(
            "cartograph_engine_runs", "Whole queries, or else root fields, that a plan has answered.", engine.runs
        )
        fallbacks = CounterMetricFamily(
            "cartograph_engine_fallbacks", "The same that graphql-core had to answer, by reason.", labels=["reason"]
        )
        for reason, count in dict(engine.fallbacks).items():
            fallbacks.add_metric([reason], count)
        yield fallbacks
        plans = engine.plans
        yield CounterMetricFamily("cartograph_engine_plans", "Plans that were compiled.", plans.compiled)
        yield GaugeMetricFamily("cartograph_engine_steps", "Steps of the plans that are remembered.", plans.steps)


class Metrics:
    """`GET /metrics` with `Authorization: Bearer` and METRICS_TOKEN; without the setting there is no such page."""

    def __init__(self, schema: EngineSchema, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        registry.register(EngineCollector(schema))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if not settings.METRICS_TOKEN:
            return Response(status_code=404)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode()):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"allow": "GET, HEAD"})
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"content-type": content_type, "cache-control": "no-store"})
