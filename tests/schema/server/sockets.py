"""A client of graphql-transport-ws that speaks ASGI itself: real messages, no server."""

import asyncio
import json
from typing import Any

from schema.asgi import application

SCOPE = {
    "type": "websocket",
    "path": "/graphql",
    "raw_path": b"/graphql",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
    "subprotocols": ["graphql-transport-ws"],
}
PATIENCE_S = 20


def subscribe(payload: Any, id: Any = "1") -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": payload}


def converse(*messages: Any, answers: int) -> list[Any]:
    """What is answered to messages after `connection_init`; a close is `{"close": code}`."""

    async def run() -> list[Any]:
        socket = _Socket([{"type": "connection_init"}, *messages], answers + 1)
        await application(dict(SCOPE), socket.receive, socket.send)
        assert socket.heard[0] == {"type": "connection_ack"}
        return socket.heard[1:]

    return asyncio.run(asyncio.wait_for(run(), PATIENCE_S))


class _Socket:
    """Sends its messages at once, and hangs up when it has heard enough."""

    def __init__(self, messages: list[Any], answers: int) -> None:
        self._left = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        self._answers = answers
        self._connected = False
        self._enough = asyncio.Event()
        self.heard: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        if self._left:
            return {"type": "websocket.receive", "text": self._left.pop(0)}
        await self._enough.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.heard.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.heard.append({"close": message["code"]})
        if len(self.heard) >= self._answers:
            self._enough.set()
