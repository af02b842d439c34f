"""The smallest fake: it counts what it started."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateways.fakes.base import Fake, operation, serve


class TinyFake(Fake):
    def forget(self) -> None:
        self.started = 0

    def routes(self) -> list[Route]:
        return [Route("/start", self.start, methods=["POST"])]

    @operation("START")
    async def start(self, request: Request) -> Response:
        self.started += 1
        return JSONResponse({"started": self.started})

    def control_count(self, sent: dict[str, Any]) -> int:
        return self.started


if __name__ == "__main__":
    serve(TinyFake())
