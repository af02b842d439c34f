"""Health, the mailbox of development, and the test clock."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection

from backend.core import clock

pytestmark = pytest.mark.django_db


def test_health_is_ok_when_both_stores_answer(client: Any) -> None:
    answer = client.get("/healthz?verbose")
    assert answer.status_code == 200
    assert answer.json()["away"] == []
    assert answer.json()["pid"] > 0


def test_health_names_what_is_away_and_shows_no_stack(client: Any, monkeypatch: Any) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("secret host")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "away", "away": ["database"]}


@pytest.fixture
def mail_dir(settings: Any, tmp_path: Path) -> Path:
    settings.MAIL_DIR = tmp_path
    settings.EMAIL_BACKEND = "backend.core.mail.FileBackend"
    return tmp_path


def test_the_mailbox_lists_and_shows_what_was_sent(client: Any, mail_dir: Path) -> None:
    assert "No mail yet" in client.get("/dev/mail/").content.decode()
    mail = EmailMultiAlternatives("Ünïcode <b>subject</b>", "plain words", to=["ada@example.com"])
    mail.attach_alternative("<p>rich words</p><script>1</script>", "text/html")
    mail.send()
    [path] = mail_dir.glob("*.eml")
    listing = client.get("/dev/mail/").content.decode()
    assert "Ünïcode &lt;b&gt;subject&lt;/b&gt;" in listing
    assert "plain words" in client.get(f"/dev/mail/{path.name}/").content.decode()
    html = client.get(f"/dev/mail/{path.name}/html/")
    assert "rich words" in html.content.decode()
    assert "sandbox" in html.headers["content-security-policy"]


def test_no_name_leads_out_of_the_mail_folder(client: Any, mail_dir: Path) -> None:
    (mail_dir.parent / "secret.eml").write_text("Subject: secret\n\nsecret")
    for name in ("..%2Fsecret.eml", "%2e%2e%2fsecret.eml", "secret.eml", "nothing.eml"):
        assert client.get(f"/dev/mail/{name}/").status_code == 404


def test_the_pages_of_development_are_not_there_in_production(client: Any, settings: Any, mail_dir: Path) -> None:
    settings.PRODUCTION = True
    settings.TEST_CLOCK = False
    for url in ("/dev/mail/", "/dev/mail/x.eml/", "/dev/mail/x.eml/html/", "/dev/clock/"):
        assert client.get(url).status_code == 404
    assert client.post("/dev/clock/", {"seconds": 5}, content_type="application/json").status_code == 404


def test_the_clock_moves_for_everybody_and_runs_what_falls_due(client: Any, monkeypatch: Any) -> None:
    before = clock.now()
    answer = client.post("/dev/clock/", {"seconds": 900}, content_type="application/json")
    assert answer.status_code == 200
    assert (clock.now() - before).total_seconds() >= 900
    assert client.get("/dev/clock/").json()["now"] >= answer.json()["now"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"seconds": -1}', '{"seconds": "x"}', '{"seconds": true}', '{"seconds": 1e99}']
)
def test_the_clock_refuses_what_is_no_move(client: Any, body: str) -> None:
    assert client.post("/dev/clock/", body, content_type="application/json").status_code == 400
