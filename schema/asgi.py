"""The root ASGI application: /graphql to the GraphQL app, gateways' messages straight in, everything else to Django."""

import gc
import os
import sys
from pathlib import Path
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from django.conf import settings
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from schema.root import schema
from schema.server import db, metrics, persisted_store, pubsub, webhooks
from schema.server.app import GraphQLApp

ASSETS = "/graphql/assets"
SWITCH_S = 0.001
YOUNG_OBJECTS = 50_000
"""How many objects more than were freed start a collection of the youngest; 700 by default."""


def _with_cors(application: ASGIApp) -> ASGIApp:
    if not settings.CORS_ALLOWED_ORIGINS and not settings.CORS_ALLOW_ALL_ORIGINS:
        return application
    return CORSMiddleware(
        application,
        allow_origins=["*"] if settings.CORS_ALLOW_ALL_ORIGINS else settings.CORS_ALLOWED_ORIGINS,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        # Cookies cross origins only for those that the shop names.
        allow_credentials=bool(settings.CORS_ALLOWED_ORIGINS),
        expose_headers=["x-request-id", "x-sql-queries", "retry-after"],
    )


class Root:
    """Two applications side by side: a router of a framework would cost more than the choice it makes."""

    def __init__(self) -> None:
        self._graphql = _with_cors(GraphQLApp(schema))
        files = StaticFiles(directory=Path(__file__).parent / "server" / "graphiql" / "assets", check_dir=False)
        self._assets = ExceptionMiddleware(files)
        self._metrics = metrics.Metrics(schema)
        self._django = cast(ASGIApp, django_application)
        self._webhooks = webhooks.Webhooks(self._django)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        if path in ("/graphql", "/graphql/"):
            await self._graphql(scope, receive, send)
        elif path == metrics.PATH and scope["type"] == "http":
            await self._metrics(scope, receive, send)
        elif path.startswith(webhooks.PREFIX):
            await self._webhooks(scope, receive, send)
        elif path.startswith(ASSETS + "/"):
            await self._assets({**scope, "root_path": ASSETS}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4404})
        else:
            await self._django(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await db.warm_up()
                _spare_the_collector()
                _take_turns_quickly()
                await send({"type": "lifespan.startup.complete"})
            else:
                await pubsub.close()
                await persisted_store.store.close()
                db.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _take_turns_quickly() -> None:
    """Let threads that run Python (the loop, database threads) wait for each other for 1 ms, not for 5.

    A read that asks the database four times waited up to 20 ms for its turns beside many logins.
    """
    sys.setswitchinterval(SWITCH_S)


def _spare_the_collector() -> None:
    """Keep the garbage collector away from what lives as long as the process: schema, models, settings.

    Each full collection would walk all of it, a third of a large list's CPU time; answers die by reference count.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


application = Root()
