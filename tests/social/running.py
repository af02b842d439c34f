"""The provider's process, and a browser that goes there and comes back."""

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.social.provider import SECRET

ROOT = Path(__file__).parent.parent.parent
STARTS_S = 30
BACK = "https://shop.example/signed-in"


@dataclass(frozen=True)
class Provider:
    address: str

    def know(self, login: str, /, **claims: Any) -> None:
        """Have somebody there."""
        httpx.put(f"{self.address}/_control/people/{login}", json=claims).raise_for_status()

    def be_broken(self, **paths: str) -> None:
        """Break the answers of some paths; without any, mend all."""
        broken = {f"/{path}": how for path, how in paths.items()}
        httpx.post(f"{self.address}/_control/broken", json=broken).raise_for_status()

    def visit(self, authorization_url: str, name: str) -> dict[str, str]:
        """Go there in a browser in which somebody is signed in; the query with which it comes back."""
        answer = httpx.get(f"{authorization_url}&login_hint={name}")
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
        return {key: value for key, [value] in parse_qs(back.query).items()}

    def configure(self, settings: Any, client_id: str = "shop") -> None:
        """Have the shop take this for Google and for GitHub."""
        for prefix in ("SOCIAL_AUTH_GOOGLE_OAUTH2", "SOCIAL_AUTH_GITHUB"):
            setattr(settings, f"{prefix}_KEY", client_id)
            setattr(settings, f"{prefix}_SECRET", SECRET)
            setattr(settings, f"{prefix}_AUTHORIZATION_URL", f"{self.address}/authorize")
            setattr(settings, f"{prefix}_ACCESS_TOKEN_URL", f"{self.address}/token")
        settings.SOCIAL_AUTH_GOOGLE_OAUTH2_USERINFO_URL = f"{self.address}/userinfo"
        settings.SOCIAL_AUTH_GITHUB_API_URL = f"{self.address}/"


@contextmanager
def running() -> Iterator[Provider]:
    command = [sys.executable, "-m", "tests.social.provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], STARTS_S)
            assert ready, "the provider did not start"
            yield Provider(process.stdout.readline().strip())
        finally:
            process.kill()
