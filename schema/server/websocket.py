"""graphql-transport-ws: what differs from Strawberry's own handling of it."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation

from schema.engine import EngineSchema
from schema.server.context import Context
from schema.server.documents import select_operation
from schema.server.errors import coded
from schema.server.persisted import PARAMETERS, Asked, find_document

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

    async def handle_message(self, message: Any) -> None:
        if not _is_message(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        if message["type"] == "subscribe":
            # Strawberry carries the query alone as far as `run_operation`, and looks at it nowhere before.
            payload = message["payload"]
            message = {**message, "payload": {**payload, "query": payload}}
        await super().handle_message(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        try:
            if len(self.operations) > MAX_OPERATIONS:
                raise coded("BAD_USER_INPUT", f"A connection runs at most {MAX_OPERATIONS} operations at a time.")
            document = await find_document(self.schema, Asked(cast(dict[str, Any], operation.query)))
            select_operation(document.node, operation.operation_name)
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
