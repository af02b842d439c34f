"""Senders of text messages, with a provider that listens on a socket."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.core import sms


class Provider(BaseHTTPRequestHandler):
    status = 202
    heard: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append({"authorization": self.headers["authorization"], **json.loads(body)})
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *given: Any) -> None:
        """Not in the tests' output."""


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Provider]]:
    monkeypatch.setattr(Provider, "heard", [])
    monkeypatch.setattr(Provider, "status", 202)
    server = HTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.SMS_SENDER, settings.SMS_TOKEN, settings.SMS_FROM = "http", "s3cret", "Shop"
    settings.SMS_URL = f"http://127.0.0.1:{server.server_port}/messages"
    yield Provider
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_is_told_by_http(provider: type[Provider]) -> None:
    sms.sender().send(to="+14155552671", text="Grüße")
    assert provider.heard == [{"authorization": "Bearer s3cret", "to": "+14155552671", "from": "Shop", "text": "Grüße"}]


def test_a_providers_refusal_is_raised_without_the_message(
    provider: type[Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Provider, "status", 500)
    with pytest.raises(httpx.HTTPStatusError) as raised:
        sms.sender().send(to="+14155552671", text="code 123456")
    assert "123456" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_the_console_shows_what_a_phone_would(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SMS_SENDER = "console"
    sms.sender().send(to="+14155552671", text="Hello")
    assert capsys.readouterr().out == "SMS to +14155552671: Hello\n"


@pytest.mark.parametrize("name", ["pigeon", "backend.core.sms.Pigeon", "no.such.module.Sender"])
def test_a_sender_that_is_none_is_refused_at_the_start(settings: Any, name: str) -> None:
    settings.SMS_SENDER = name
    with pytest.raises(ImproperlyConfigured, match="SMS_SENDER"):
        sms.check()


def test_none_is_no_mistake(settings: Any) -> None:
    settings.SMS_SENDER = ""
    sms.check()
