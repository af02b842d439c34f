"""A client of `orderEvents` that hangs up when it has seen enough."""

import asyncio
from collections.abc import Callable
from typing import Any

from schema.root import schema
from schema.server.context import Context
from schema.server.db import count_statements
from schema.server.ids import encode
from schema.server.pubsub import close

PATIENCE_S = 20
EVENTS = """subscription ($orderId: ID!, $token: String, $after: String) {
  orderEvents(orderId: $orderId, token: $token, after: $after) {
    cursor sequence type order { status paymentStatus } } }"""


def watch(
    order: Any,
    count: int,
    *,
    query: str = EVENTS,
    then: Callable[[], object] | None = None,
    context: Context | None = None,
    **variables: Any,
) -> list[Any]:
    """The first `count` results; `then` is called once the first has come. The context counts the statements."""
    asked = {"orderId": encode("Order", order.pk), "token": order.token, **variables}
    context = context or Context()

    async def run() -> list[Any]:
        count_statements(context.statements)
        results: Any = await schema.subscribe(query, variable_values=asked, context_value=context)
        seen = []
        try:
            async for result in results:
                seen.append(result)
                if len(seen) == 1 and then is not None:
                    then()
                if len(seen) == count:
                    break
        finally:
            await results.aclose()
            await close()
        return seen

    return asyncio.run(asyncio.wait_for(run(), PATIENCE_S))


def events(results: list[Any]) -> list[dict[str, Any]]:
    """What the results tell; errors fail the test."""
    assert [result.errors for result in results] == [None] * len(results)
    return [result.data["orderEvents"] for result in results]
