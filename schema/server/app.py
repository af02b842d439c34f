"""GraphQL over HTTP, WebSocket and server-sent events: plain ASGI, beside Django."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cross_web import HTTPException
from django.conf import settings
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL

from schema.engine import EngineSchema
from schema.server.context import Context
from schema.server.db import count_statements

GRAPHIQL = Path(__file__).parent / "graphiql" / "index.html"
JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
MAX_SUBSCRIPTIONS_PER_SOCKET = 50
_CODES = {405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE"}
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_GRAPHIQL_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'"
    ),
}


class TextWebSocketAdapter(ASGIWebSocketAdapter):
    """graphql-transport-ws messages are text frames; orjson makes bytes."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except (WebSocketDisconnect, RuntimeError) as gone:
            raise WebSocketDisconnected from gone


class PayloadTooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413, f"A request has at most {settings.GRAPHQL_MAX_BODY_BYTES} bytes.")


class GraphQLApp(GraphQL[Context, None]):
    """Serves one schema at one path."""

    websocket_adapter_class = TextWebSocketAdapter  # type: ignore[assignment]

    def __init__(self, schema: EngineSchema) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            max_subscriptions_per_connection=MAX_SUBSCRIPTIONS_PER_SOCKET,
            # Tokens travel in messages and headers, never in cookies: a page elsewhere gains nothing here.
            allowed_origins=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        request = Request(scope, _limited(scope, receive))
        try:
            response = await self.run(request)
        except HTTPException as refusal:
            response = _refused(refusal)
        await response(scope, receive, send)

    def parse_json(self, data: str | bytes) -> Any:
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "A request is a JSON object.")
        return parsed

    async def parse_http_body(self, request: Any) -> Any:
        parsed = await super().parse_http_body(request)
        if not isinstance(parsed, list):
            _check_types(parsed)
        return parsed

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def get_context(self, request: HTTPConnection, response: Any) -> Context:
        context = Context(request, response)
        count_statements(context.statements)
        if isinstance(response, Response):
            # The same object is read when the answer is made: nothing else ties the two together.
            response.background = None
            request.scope["cartograph.context"] = context
        return context

    async def render_graphql_ide(self, request: Request) -> Response:
        return FileResponse(GRAPHIQL, media_type="text/html", headers=_GRAPHIQL_HEADERS)

    async def run(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = await super().run(request, *args, **kwargs)
        if isinstance(response, Response) and isinstance(request, Request):
            self._finish(request, response)
        return response

    def _finish(self, request: Request, response: Response) -> None:
        context: Context | None = request.scope.get("cartograph.context")
        if context is None or isinstance(response, FileResponse):
            return
        headers = response.headers
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers["x-request-id"] = context.request_id
        if settings.DEBUG or settings.SQL_HEADER:
            headers["x-sql-queries"] = str(context.statements.total)
        if GRAPHQL_RESPONSE in request.headers.get("accept", "") and headers.get("content-type") == JSON:
            headers["content-type"] = GRAPHQL_RESPONSE
            if bytes(response.body).startswith(b'{"data":null') or not bytes(response.body).startswith(b'{"data"'):
                response.status_code = 400 if b'"path"' not in bytes(response.body) else 200


def _check_types(parsed: Any) -> None:
    """The parameters of GraphQL over HTTP have types of their own; anything else is the client's mistake."""
    wanted = {"query": str, "variables": dict, "operation_name": str, "extensions": dict}
    for name, kind in wanted.items():
        value = getattr(parsed, name)
        if value is not None and not isinstance(value, kind):
            raise HTTPException(400, f"{name} has the wrong type.")


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Refuse a body over the limit as soon as that is known."""
    limit = settings.GRAPHQL_MAX_BODY_BYTES
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise PayloadTooLarge
        return message

    return limited


def _refused(refusal: HTTPException) -> Response:
    code = _CODES.get(refusal.status_code, "BAD_USER_INPUT")
    if "not allowed" in refusal.reason and "GET" in refusal.reason:
        refusal.status_code, code = 405, "METHOD_NOT_ALLOWED"
    body = {"errors": [{"message": refusal.reason, "extensions": {"code": code}}]}
    headers = {"allow": "GET, POST"} if refusal.status_code == 405 else {}
    return Response(orjson.dumps(body), refusal.status_code, {**_HEADERS, **headers}, JSON)
