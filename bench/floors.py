"""The two floors: what any Python GraphQL server pays before it does anything.

`raw`: a bare ASGI answer of a given size (`SIZE` bytes, from the environment). `strawberry_typename`:
`strawberry.asgi` with its parser and validation caches, answering `{ __typename }`.
"""

import os
from typing import Any

import strawberry
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

_BODY = b'{"data":"' + b"x" * max(0, int(os.environ.get("SIZE", "1000")) - 11) + b'"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


async def raw(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"


strawberry_typename = GraphQL[None, None](
    strawberry.Schema(Query, extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)])
)
