"""localstripe as a process of its own (GPL, so never imported), for what it really does; the proxy does the rest."""

import socket
import subprocess
import sys
import tempfile
import time
from typing import Any
from urllib.parse import urlencode

import httpx

STARTS_S = 20
KEY = "sk_test_localstripe"


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as door:
            door.bind(("::", 0))
    except OSError:
        return "localstripe listens on IPv6, which this machine does not have"
    return ""


class Refused(Exception):
    """localstripe's 4xx, with what it says of it."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.status = status
        self.error = error


class LocalStripe:
    """State lives in its memory; `forget` drops it. It knows no idempotency keys, Sessions, disputes."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
        command = [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)]
        self._process = subprocess.Popen(
            command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
        self._await()

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(10)

    def forget(self) -> None:
        self._http.delete("/_config/data").raise_for_status()

    def send_webhooks(self, url: str, secret: str) -> None:
        """It sends two kinds only, once, about a second later, signed as Stripe does."""
        self._http.post("/_config/webhooks/shop", json={"url": url, "secret": secret}).raise_for_status()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._answer(self._http.get(path, params=params))

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        form = {key: value for key, value in params.items() if value is not None}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._answer(self._http.post(path, content=urlencode(_flat(form)), headers=headers))

    def _answer(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code >= 400:
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {"error": {}}
            raise Refused(answer.status_code, told["error"])
        found: dict[str, Any] = answer.json()
        return found

    def _await(self) -> None:
        until = time.monotonic() + STARTS_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._http.get("/v1/charges")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("localstripe did not start")


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in _flat(each, f"{name}[{key}]" if name else key)]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]
