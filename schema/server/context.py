"""What a request carries: who asks, what the shop speaks, and its batches."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.requests import HTTPConnection
from starlette.responses import Response

from backend.accounts.tokens import TokenRefused
from backend.core.caller import GUEST, Caller
from backend.core.context import ShopContext, default_context
from backend.core.throttle import network_of
from schema.engine import Batches
from schema.server.callers import identify
from schema.server.db import StatementCount, db

_ATTRIBUTES = (
    "_response",
    "batches",
    "caller",
    "connection_params",
    "expires_at",
    "products",
    "refused",
    "request",
    "request_id",
    "shop",
    "statements",
    "token",
)


class Context:
    """One per request (and per WebSocket connection). `batches` are renewed for each operation."""

    __slots__ = (*_ATTRIBUTES, "__weakref__")

    def __init__(self, request: HTTPConnection | None = None, response: Any = None) -> None:
        self.request = request
        self._response = response
        self.caller: Caller = GUEST
        self.token: str | None = None
        self.expires_at = 0
        self.refused: str | None = None
        self.connection_params: dict[str, Any] = {}
        self.shop: ShopContext = default_context()
        self.products: dict[int, Any] = {}
        self.request_id = uuid4().hex
        self.statements = StatementCount()
        self.batches = Batches(self)

    @property
    def response(self) -> Response:
        return self._response  # type: ignore[no-any-return]

    @property
    def user_agent(self) -> str:
        return "" if self.request is None else self.request.headers.get("user-agent", "")

    @property
    def network(self) -> str:
        """Where the request comes from, as far as tries are counted by it."""
        client = None if self.request is None else self.request.client
        return "" if client is None else network_of(client.host)

    async def authenticate(self, token: str) -> None:
        """Take the caller from an access token; `refused` says why where that cannot be."""
        self.token = token
        try:
            self.caller, self.expires_at = await identify(token)
            self.refused = None
        except TokenRefused as refusal:
            self.caller, self.refused = GUEST, refusal.reason

    async def run_sync(self, function: Callable[[], Any]) -> Any:
        """The engine's way to the database."""
        return await db(function)

    def for_operation(self, shop: ShopContext) -> "Context":
        """This request's context, for one operation: its own shop context and batches."""
        context = Context.__new__(Context)
        for name in _ATTRIBUTES:
            setattr(context, name, getattr(self, name))
        context.shop, context.products, context.batches = shop, {}, Batches(context)
        return context
