"""What fakes with a payment page of their own share: the page with its buttons, and mail to the shop."""

import asyncio
from dataclasses import dataclass, field
from html import escape
from typing import Any

import httpx
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tests.gateways.fakes.base import Fake

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>{title}</title>
<body style="font:18px sans-serif;max-width:26em;margin:3em auto"><h1>{title}</h1><p>{text}</p>{body}</body></html>"""


@dataclass(frozen=True)
class Mail:
    """A request to the shop, as `harness.Sent` has it; the body is text."""

    about: str
    url: str
    body: str
    content_type: str
    query: dict[str, str] = field(default_factory=dict)


class Hosted(Fake):
    mail: list[Mail]

    def forget(self) -> None:
        self.mail = []
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, mail: Mail) -> None:
        """Keep it for the test that will fetch it, or post it now."""
        if not self.deliver:
            self.mail.append(mail)
            return
        task = asyncio.get_running_loop().create_task(_post(mail))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def control_messages(self, sent: dict[str, Any]) -> Any:
        """Take the mail about a payment, oldest first."""
        mine = [each for each in self.mail if each.about == sent["reference"]]
        self.mail = [each for each in self.mail if each.about != sent["reference"]]
        return [{"body": each.body, "content_type": each.content_type, "query": each.query} for each in mine]


async def _post(mail: Mail) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        address = httpx.URL(mail.url).copy_merge_params(mail.query)
        await client.post(address, content=mail.body, headers={"content-type": mail.content_type})


def page(title: str, text: str, buttons: dict[str, str]) -> Response:
    """A form with a button for each act; it posts to its own address."""
    made = "".join(
        f'<button name="act" value="{escape(act)}">{escape(label)}</button> ' for act, label in buttons.items()
    )
    body = f'<form method="post">{made}</form>'
    return HTMLResponse(PAGE.format(title=escape(title), text=escape(text), body=body))


def go_by_post(url: str, form: dict[str, str]) -> Response:
    """Send the browser back by a form that posts itself, across sites."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.items()
    )
    body = f'<form method="post" action="{escape(url)}">{fields}<button>Continue</button></form>'
    script = "<script>document.forms[0].submit()</script>"
    return HTMLResponse(PAGE.format(title="Going back", text="", body=body + script))


def go_by_get(url: str) -> Response:
    return RedirectResponse(url, status_code=303)


def is_callback(url: str) -> bool:
    """https, as gateways want it; plain http only to one's own machine, where developers click through."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return bool(parsed.host) and (
        parsed.scheme == "https"
        or (parsed.scheme == "http" and parsed.host in ("localhost", "127.0.0.1", "testserver"))
    )
