"""The two floors: what any Python GraphQL server pays before it does anything.

`raw`: a bare ASGI answer, of as many bytes as the path says (`/1000`). `strawberry_typename`:
`strawberry.asgi` with its parser and validation caches, answering `{ __typename }`.
"""

from functools import cache
from typing import Any

import strawberry
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache


@cache
def _answer(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    size = path.strip("/")
    body = b'{"data":"' + b"x" * max(0, int(size if size.isdecimal() else 0) - 11) + b'"}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


async def raw(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    start, body = _answer(scope["path"])
    await send(start)
    await send(body)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"


strawberry_typename = GraphQL[None, None](
    strawberry.Schema(Query, extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)])
)
