"""What `make run` prints last: where everything is."""

import os
from collections.abc import Sequence
from pathlib import Path

from backend.core.demo import DemoUser

RULE = "-" * 78


def text(*, url: str, data_dir: Path, users: list[DemoUser], seconds: float, doubles: Sequence[str] = ()) -> str:
    """The addresses, the gateways' doubles and demo users that there are, and how to stop."""
    lines = [RULE, f"Cartograph runs (ready after {seconds:.1f} s).", ""]
    lines += [f"  GraphiQL     {url}/graphql", f"  Admin        {url}/admin/", *_mail(url, data_dir), ""]
    lines += doubles
    if users:
        lines += ["  Demo users (email, password, role)", *_table(users), ""]
    lines += ["  Stop with Ctrl-C.", RULE]
    return "\n".join(lines)


def _mail(url: str, data_dir: Path) -> list[str]:
    if os.environ.get("EMAIL_URL"):
        return ["  Emails       sent by the server in EMAIL_URL"]
    files = f"{data_dir / 'mail'}"
    if os.environ.get("ENVIRONMENT", "development") != "development":
        return [f"  Emails       files in {files}"]
    return [f"  Emails       {url}/dev/mail/  (files in {files})"]


def _table(users: list[DemoUser]) -> list[str]:
    width = max(len(user.email) for user in users)
    return [f"    {user.email:<{width}}  {user.password}  {user.role}" for user in users]
