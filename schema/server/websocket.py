"""graphql-transport-ws: what differs from Strawberry's own handling of it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import orjson
from django.conf import settings
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation

from schema.engine import EngineSchema
from schema.server.callers import until_over
from schema.server.context import Context
from schema.server.documents import select_operation
from schema.server.errors import coded
from schema.server.permissions import check_refused
from schema.server.persisted import PARAMETERS, Asked, find_document
from schema.server.rates import check_rate

MAX_OPERATIONS = 50
"""How many operations one connection may run at a time."""
_NAMING = ("query", "documentId", "extensions")
"""What may say which document is meant: a request has one of them."""


class TextWebSocketAdapter(ASGIWebSocketAdapter):
    """graphql-transport-ws messages are text frames; orjson makes bytes."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except (WebSocketDisconnect, RuntimeError) as gone:
            raise WebSocketDisconnected from gone


class WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Closes with 4400 on what is no message, and answers what is no operation with an `error` of coded errors."""

    schema: EngineSchema
    _watch: asyncio.Task[None] | None = None

    async def handle_message(self, message: Any) -> None:
        if not _is_message(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        if message["type"] == "subscribe":
            # Strawberry carries the query alone as far as `run_operation`, and looks at it nowhere before.
            payload = message["payload"]
            message = {**message, "payload": {**payload, "query": payload}}
        await super().handle_message(message)

    async def handle_connection_init(self, message: Any) -> None:
        await super().handle_connection_init(message)
        context = self.context
        if self.connection_acknowledged and context.token is not None:
            self._watch = asyncio.create_task(self._close_when_over(context.token))

    async def _close_when_over(self, token: str) -> None:
        """Whoever has signed out, or whose token is over, hears no more. Clients come back with a newer token."""
        await until_over(token, self.context.caller, self.context.expires_at)
        with suppress(WebSocketDisconnected, RuntimeError):
            await self.websocket.close(4403, "The access token is over.")

    async def shutdown(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await super().shutdown()

    async def _still_signed_in(self, operation_name: str | None, document: Any) -> None:
        """Whether the token is still good, asked for each operation. Raises UNAUTHENTICATED."""
        if self.context.token is None:
            return
        await self.context.authenticate(self.context.token)
        if self.context.refused is not None:
            check_refused(self.context.refused, select_operation(document, operation_name))

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        try:
            if len(self.operations) > MAX_OPERATIONS:
                raise coded("BAD_USER_INPUT", f"A connection runs at most {MAX_OPERATIONS} operations at a time.")
            if settings.OPERATIONS_PER_MINUTE:
                await check_rate(self.context)
            document = await find_document(self.schema, Asked(cast(dict[str, Any], operation.query)))
            select_operation(document.node, operation.operation_name)
            await self._still_signed_in(operation.operation_name, document.node)
        except GraphQLError as error:
            await operation.send_initial_errors([error])
        else:
            operation.query = document.text
            await super().run_operation(operation)


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    kind = message["type"]
    if kind in ("subscribe", "complete") and not (isinstance(message.get("id"), str) and message["id"]):
        return False
    return kind != "subscribe" or _is_request(message.get("payload"))


def _is_request(payload: object) -> bool:
    return (
        isinstance(payload, dict)
        and any(name in payload for name in _NAMING)
        and all(isinstance(payload.get(name), kind | None) for name, kind in PARAMETERS.items())
    )
