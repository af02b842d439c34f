"""GraphQL over HTTP, WebSocket and server-sent events: plain ASGI, beside Django."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from cross_web import HTTPException, StarletteRequestAdapter
from django.conf import settings
from graphql import DocumentNode, GraphQLError, OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData, GraphQLRequestProtocol
from strawberry.http.parse_content_type import parse_content_type
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from schema.engine import EngineSchema
from schema.server.callers import bearer, token_of, until_over
from schema.server.context import Context
from schema.server.db import count_statements
from schema.server.documents import Document, Unclear, select_operation, version_of
from schema.server.execution import execute
from schema.server.permissions import check_refused
from schema.server.persisted import PARAMETERS, Asked, find_document
from schema.server.rates import check_rate
from schema.server.websocket import TextWebSocketAdapter, WebSocketHandler

GRAPHIQL = Path(__file__).parent / "graphiql" / "index.html"
JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
NEEDS_STREAM = (
    "A subscription needs a stream: use a WebSocket (graphql-transport-ws), or send `Accept: text/event-stream`."
)
TOO_MANY_REQUESTS = 429
_CODES = {405: "METHOD_NOT_ALLOWED", 413: "PAYLOAD_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}
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


class RequestAdapter(StarletteRequestAdapter):
    """Media types are case-insensitive; Strawberry compares them as they come."""

    @property
    def content_type(self) -> str:
        return (super().content_type or "").lower()


@dataclass
class RequestData(GraphQLRequestData):
    """What Strawberry knows of a request, and what may name its document instead of a text."""

    asked: Asked = field(kw_only=True)
    document: Document | None = None
    stream: GraphQLRequestProtocol | None = None
    """What the client takes a stream by, perhaps beside JSON."""


class PayloadTooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413, f"A request has at most {settings.GRAPHQL_MAX_BODY_BYTES} bytes.")


class GraphQLApp(GraphQL[Context, None]):
    """Serves one schema at one path."""

    schema: EngineSchema
    request_adapter_class = RequestAdapter
    websocket_adapter_class = TextWebSocketAdapter  # type: ignore[assignment]
    graphql_transport_ws_handler_class = WebSocketHandler

    def __init__(self, schema: EngineSchema) -> None:
        version_of(schema)  # takes a while: now rather than in the first request
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            max_subscriptions_per_connection=None,  # the handler counts, to answer with a code
            # A page elsewhere gains nothing here: of a WebSocket, cookies count only from the shop's own origins.
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
        if request.method == "POST" and _media_type(request.content_type) != JSON:
            raise HTTPException(415, f"Send the request as {JSON}.")
        accepted = request.headers.get("accept")
        stream = self._get_stream_transport_from_headers({"accept": accepted}) if accepted else None
        if request.method == "GET":
            given = self.parse_query_params(request.query_params)
        else:
            given = self.parse_json(await request.get_body())
        data = _request_data(given, "http")
        if stream is not None:
            data.stream = stream.protocol
            data.protocol = "http" if _takes_json(accepted or "") else stream.protocol
        return data

    def should_render_graphql_ide(self, request: Any) -> bool:
        if request.method != "GET":
            return False
        asked = any(request.query_params.get(name) is not None for name in ("documentId", "extensions"))
        return not asked and super().should_render_graphql_ide(request)

    async def execute_operation(
        self,
        request: Request,
        request_adapter: Any,
        request_data: Any,
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> Any:
        try:
            if settings.OPERATIONS_PER_MINUTE:
                await check_rate(context)
            document = await find_document(self.schema, request_data.asked)
            if request_data.stream and _is_subscription(document.node, request_data.operation_name):
                request_data.protocol = request_data.stream
            _check_operation(document.node, request_data, request_adapter.method)
            if context.refused is not None:
                check_refused(context.refused, select_operation(document.node, request_data.operation_name))
        except Unclear as error:
            raise HTTPException(400, error.message) from None
        except GraphQLError as error:
            refused = PreExecutionError(data=None, errors=[error])
            if "retryAfter" in (error.extensions or {}):
                _say_when(sub_response, error, request_data.protocol)
            return refused if request_data.protocol == "http" else _once(refused)
        request_data.query, request_data.document = document.text, document
        if request_data.protocol != "http" and not _is_subscription(document.node, request_data.operation_name):
            # Before the stream begins: what signs in sets cookies, and headers are sent first.
            return _once(
                await self.execute_single(request, request_adapter, sub_response, context, root_value, request_data)
            )
        result = await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )
        return while_signed_in(result, context) if context.token and isinstance(result, AsyncGenerator) else result

    async def execute_single(
        self,
        request: Request,
        request_adapter: Any,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: Any,
    ) -> ExecutionResult:
        assert request_data.document is not None
        return await execute(
            self.schema, request_data.document, context, request_data.variables, request_data.operation_name
        )

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def get_context(self, request: HTTPConnection, response: Any) -> Context:
        context = Context(request, response)
        count_statements(context.statements)
        token = token_of(request)
        if token is not None:
            await context.authenticate(token)
        if isinstance(response, Response):
            # The same object is read when the answer is made: nothing else ties the two together.
            response.background = None
            request.scope["cartograph.context"] = context
        return context

    async def create_streaming_response(self, request: Any, stream: Any, sub_response: Response, headers: Any) -> Any:
        response = await super().create_streaming_response(request, stream, sub_response, headers)
        # Strawberry keeps one header of each name: of two cookies the second alone.
        del response.headers["set-cookie"]
        response.raw_headers.extend(pair for pair in sub_response.raw_headers if pair[0] == b"set-cookie")
        return response

    async def on_ws_connect(self, context: Context) -> Any:
        """The access token of a WebSocket comes with `connection_init`: browsers cannot send headers with it."""
        given = context.connection_params
        token = bearer(given.get("Authorization") or given.get("authorization"))
        if token is not None:
            await context.authenticate(token)
        if context.refused is not None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    async def render_graphql_ide(self, request: Request) -> Response:
        return FileResponse(GRAPHIQL, media_type="text/html", headers=_GRAPHIQL_HEADERS)

    async def run(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = await super().run(request, *args, **kwargs)
        if isinstance(response, Response) and isinstance(request, Request):
            self._finish(request, response)
        return response

    def _finish(self, request: Request, response: Response) -> None:
        # Taken out: a request in a circle with its context would be left to the garbage collector, with all its rows.
        context: Context | None = request.scope.pop("cartograph.context", None)
        if context is None or isinstance(response, FileResponse):
            return
        headers = response.headers
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers["x-request-id"] = context.request_id
        if settings.DEBUG or settings.SQL_HEADER:
            headers["x-sql-queries"] = str(context.statements.total)
        if GRAPHQL_RESPONSE in request.headers.get("accept", "").lower() and headers.get("content-type") == JSON:
            headers["content-type"] = GRAPHQL_RESPONSE
            body = bytes(response.body)
            nothing = body.startswith(b'{"data":null') or not body.startswith(b'{"data"')
            if nothing and response.status_code != TOO_MANY_REQUESTS:
                response.status_code = 400 if b'"path"' not in body else 200


@lru_cache(maxsize=100)
def _media_type(content_type: str) -> str:
    return parse_content_type(content_type)[0]


def _takes_json(accepted: str) -> bool:
    """Clients such as urql name every type that they can read with each request: what is no stream is sent as JSON."""
    kinds = {part.split(";", 1)[0].strip().lower() for part in accepted.split(",")}
    return not kinds.isdisjoint({JSON, GRAPHQL_RESPONSE})


def _request_data(given: Any, protocol: GraphQLRequestProtocol) -> RequestData:
    if not isinstance(given, dict):
        raise HTTPException(400, "A request is one JSON object: there are no batches.")
    for name, kind in PARAMETERS.items():
        if not isinstance(given.get(name), kind | None):
            raise HTTPException(400, f"{name} has the wrong type.")
    try:
        asked = Asked(given)
    except Unclear as error:
        raise HTTPException(400, error.message) from None
    return RequestData(
        asked.text, given.get("variables"), given.get("operationName"), given.get("extensions"), protocol, asked=asked
    )


def _is_subscription(document: DocumentNode, name: str | None) -> bool:
    return select_operation(document, name).operation is OperationType.SUBSCRIPTION


def _say_when(response: Response, error: GraphQLError, protocol: str) -> None:
    """Tell by status and header, too, when there are operations again. A stream has begun well, and tells it inside."""
    response.headers["retry-after"] = str((error.extensions or {})["retryAfter"])
    if protocol == "http":
        response.status_code = TOO_MANY_REQUESTS


def _check_operation(document: DocumentNode, asked: GraphQLRequestData, method: str) -> None:
    """Refuse by status what cannot be run this way, before a stream has begun."""
    operation = select_operation(document, asked.operation_name).operation
    if operation is OperationType.MUTATION and method == "GET":
        raise HTTPException(405, "Mutations are not allowed when using GET.")
    if operation is OperationType.SUBSCRIPTION and asked.protocol == "http":
        raise HTTPException(400, NEEDS_STREAM)


async def while_signed_in(results: AsyncGenerator[Any, None], context: Context) -> AsyncGenerator[Any, None]:
    """A stream that ends with the session, or the access token, that it was asked for with."""
    if context.token is None or context.caller.session_id is None:
        async for result in results:
            yield result
        return
    over = asyncio.create_task(until_over(context.token, context.caller, context.expires_at))
    try:
        while True:
            following: asyncio.Future[Any] = asyncio.ensure_future(anext(results))
            await asyncio.wait({following, over}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await following
                return
            try:
                yield following.result()
            except StopAsyncIteration:
                return
    finally:
        over.cancel()
        await results.aclose()


async def _once(result: ExecutionResult) -> AsyncGenerator[ExecutionResult, None]:
    yield result


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
    body = {"errors": [{"message": refusal.reason, "extensions": {"code": code}}]}
    headers = {"allow": "GET, POST"} if refusal.status_code == 405 else {}
    return Response(orjson.dumps(body), refusal.status_code, {**_HEADERS, **headers}, JSON)
