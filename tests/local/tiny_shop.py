"""The smallest thing that `make run` takes for a shop: it answers any request, and its workers wait."""

import os
import signal
import sys
import warnings
from typing import Any


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"data":{"__typename":"Query"}}'})


if __name__ == "__main__":
    warnings.warn("the worker warns", stacklevel=1)
    print("[INFO] the worker chats", file=sys.stderr)
    if sys.argv[1:] == ["parent"]:
        os.fork()
    signal.pause()
