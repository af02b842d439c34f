"""What fakes with a payment page of their own share: the page with its buttons, and mail to the shop."""

import asyncio
from dataclasses import dataclass, field
from html import escape
from typing import Any

import httpx
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tests.gateways.fakes.base import Fake

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c2434; background: #eef1f6; display: grid; place-items: center;
    min-height: 90vh; margin: 1rem }}
  main {{ background: #fff; border-radius: 14px; padding: 2rem; width: min(21rem, 90vw); text-align: center;
    box-shadow: 0 12px 40px rgb(20 33 61 / 12%) }}
  .note {{ background: #fff3cd; color: #6b4f00; border-radius: 99px; padding: .15rem .8rem; font-size: .8rem }}
  h1 {{ margin: 1rem 0 0; font-size: 1.3rem }} .amount {{ font-size: 2rem; margin: .2rem 0 }}
  .about {{ color: #5c677d; font-size: .85rem; overflow-wrap: anywhere }}
  form {{ display: grid; gap: .6rem; margin-top: 1.4rem }}
  button {{ font: inherit; padding: .7rem; border-radius: 9px; border: 1px solid #d5dae3; background: #fff;
    cursor: pointer }}
  button:first-child {{ background: #27457a; color: #fff }}
</style>
<main><span class="note">A double: no money moves</span><h1>{title}</h1>{body}</main>
</html>"""


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


def page(gateway: str, amount: str, buttons: dict[str, str], *, about: str = "") -> Response:
    """A form with a button for each act; it posts to its own address."""
    made = "".join(
        f'<button name="act" value="{escape(act)}">{escape(label)}</button>' for act, label in buttons.items()
    )
    told = f'<p class="amount">{escape(amount)}</p><p class="about">{escape(about)}</p>'
    return HTMLResponse(PAGE.format(title=escape(gateway), body=f'{told}<form method="post">{made}</form>'))


def go_by_post(url: str, form: dict[str, str]) -> Response:
    """Send the browser back by a form that posts itself, across sites."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.items()
    )
    body = f'<form method="post" action="{escape(url)}">{fields}<button>Continue</button></form>'
    script = "<script>document.forms[0].submit()</script>"
    return HTMLResponse(PAGE.format(title="Going back", body=body + script))


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
