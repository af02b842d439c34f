"""Gateways' messages, past Django's middleware, which costs a thread and a connection for each request."""

import asyncio
import logging
import re
from io import BytesIO

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.payments.webhooks import MAX_BODY_BYTES, receive
from schema.server.db import db

logger = logging.getLogger(__name__)
PREFIX = "/webhooks/"
PATH = re.compile(r"/webhooks/(?P<gateway_id>[-a-zA-Z0-9_]+)/(?:(?P<account>[-a-zA-Z0-9_]+)/)?", re.ASCII)
"""As in `backend.urls`: whatever else is asked for below the prefix goes the long way, to Django's own refusals."""
MAX_WAITING = 500
"""Messages in memory at once. One more is refused and comes again: that is better than a gateway's time running out."""


class Webhooks:
    """`backend.payments.webhooks.receive` on the database threads, at most half of them: shoppers need the others."""

    def __init__(self, otherwise: ASGIApp) -> None:
        self._otherwise = otherwise
        self._threads = asyncio.Semaphore(max(1, settings.DB_POOL_SIZE // 2))
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = PATH.fullmatch(scope["path"])
        if called is None or scope["type"] != "http" or scope["method"] != "POST":
            await self._otherwise(scope, receive, send)
            return
        try:
            response = await self._answer(scope, receive, called)
        except ClientDisconnect:
            return  # half a message is none: nobody was told that it is kept
        headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in response.items()]
        headers.append((b"content-length", b"%d" % len(response.content)))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.content})

    async def _answer(self, scope: Scope, stream: Receive, called: re.Match[str]) -> HttpResponse:
        if self._waiting >= MAX_WAITING:
            return HttpResponse(status=503, headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            body = await _read(stream)
            arguments = {name: value for name, value in called.groupdict().items() if value is not None}
            async with self._threads:
                return await db(_receive, scope, body, arguments)
        finally:
            self._waiting -= 1


def _receive(scope: Scope, body: bytes, arguments: dict[str, str]) -> HttpResponse:
    """Never raises: whatever breaks is answered so that the gateway sends its message again."""
    try:
        return receive(ASGIRequest(scope, BytesIO(body)), **arguments)
    except (UnicodeDecodeError, SuspiciousOperation):  # of the query
        return HttpResponse(status=400)
    except Exception:
        logger.exception("A webhook of %s was not taken", arguments["gateway_id"])
        return HttpResponse(status=500)


async def _read(stream: Receive) -> bytes:
    """The body; of one that is too large, only as much as shows it."""
    body = bytearray()
    while len(body) <= MAX_BODY_BYTES:
        message = await stream()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)
