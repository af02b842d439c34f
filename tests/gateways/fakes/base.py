"""What every fake gateway has: its process, the ways to break its calls, and the routes by which tests drive it.

A fake subclasses `Fake`: it lists its real routes in `routes()`, decorating each handler with `operation(...)`, and
its control commands as methods named `control_<name>` that take the command's JSON and return JSON.
"""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Handler = Callable[[Any, Request], Awaitable[Response]]
FOREVER_S = 3600


def operation(name: str) -> Callable[[Handler], Handler]:
    """Mark a handler as the gateway's side of one of our operations (START, VERIFY, …), so that tests can break it."""

    def mark(handler: Handler) -> Handler:
        @wraps(handler)
        async def handle(fake: Any, request: Request) -> Response:
            how = fake.broken.get(name)
            if how is None:
                return await handler(fake, request)
            if how == "LOST_AFTER":
                await handler(fake, request)
            if how.startswith("LOST"):
                with suppress(asyncio.CancelledError):  # the end of the process
                    await asyncio.sleep(FOREVER_S)
                return Response(status_code=503)
            if how == "ERROR_500":
                return Response("<html>Internal Server Error</html>", status_code=500, media_type="text/html")
            return Response('{"status": tru', media_type="application/json")

        return handle

    return mark


class Fake:
    """State lives in memory: `reset` forgets it. One event loop, so handlers that do not await are atomic."""

    deliver = False
    """Whether it sends its messages to the shop by itself, for people who click through; else tests fetch them."""

    first = 0
    """What its numbers are counted from. A shop outlives its doubles, and no number may come again."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.refunds_refused = False
        self.forget()

    def forget(self) -> None:
        """Drop every payment: subclasses begin their own state here."""

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def control_reset(self, sent: dict[str, Any]) -> Any:
        self.broken = {}
        self.refunds_refused = False
        self.forget()

    def control_break(self, sent: dict[str, Any]) -> Any:
        self.broken[sent["operation"]] = sent["how"]

    def control_mend(self, sent: dict[str, Any]) -> Any:
        self.broken = {}

    def control_refuse_refunds(self, sent: dict[str, Any]) -> Any:
        self.refunds_refused = True

    def control_finish_refunds(self, sent: dict[str, Any]) -> Any:
        return None

    async def _control(self, request: Request) -> Response:
        command = getattr(self, f"control_{request.path_params['name']}")
        return JSONResponse(command(await request.json()))

    def application(self) -> Starlette:
        return Starlette(routes=[Route("/_control/{name}", self._control, methods=["POST"]), *self.routes()])


def serve(fake: Fake) -> None:
    """Run until killed; where it has chosen a port itself, the first line of the output is its address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--deliver", action="store_true", help="send messages to the shop as they arise")
    parser.add_argument("--first", type=int, default=0, help="what numbers are counted from")
    given = parser.parse_args()
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("A double takes no money: it has no place in production.")
    fake.deliver = given.deliver
    fake.first = given.first
    fake.forget()
    door = socket.create_server(("127.0.0.1", given.port))
    if not given.port:
        print(f"http://127.0.0.1:{door.getsockname()[1]}", flush=True)
    config = uvicorn.Config(fake.application(), log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[door])
