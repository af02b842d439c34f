"""Health, the mailbox of development, and the test clock."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection
from django.utils import timezone

from backend.core import clock
from backend.core.schedule import Entry
from backend.inventory.models import StockLevel
from tests.factories.orders import make_order

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


def test_the_home_page_of_development_leads_to_graphiql(client: Any) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["location"]) == (302, "/graphql")


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


def test_a_mail_that_is_being_written_is_not_shown_yet(client: Any, mail_dir: Path) -> None:
    """It is renamed when it is whole: between the list and the reading of its files, that one is gone."""
    (mail_dir / ".unfinished.eml").write_text("Subject: half a ma")
    assert "half a ma" not in client.get("/dev/mail/").content.decode()
    assert client.get("/dev/mail/.unfinished.eml/").status_code == 404


def test_no_name_leads_out_of_the_mail_folder(client: Any, mail_dir: Path) -> None:
    (mail_dir.parent / "secret.eml").write_text("Subject: secret\n\nsecret")
    for name in ("..%2Fsecret.eml", "%2e%2e%2fsecret.eml", "secret.eml", "nothing.eml"):
        assert client.get(f"/dev/mail/{name}/").status_code == 404


def test_the_pages_of_development_are_not_there_in_production(client: Any, settings: Any, mail_dir: Path) -> None:
    settings.PRODUCTION = True
    settings.TEST_CLOCK = False
    for url in ("/", "/dev/mail/", "/dev/mail/x.eml/", "/dev/mail/x.eml/html/", "/dev/clock/"):
        assert client.get(url).status_code == 404
    assert client.post("/dev/clock/", {"seconds": 5}, content_type="application/json").status_code == 404


def move_clock(client: Any, seconds: float) -> Any:
    answer = client.post("/dev/clock/", {"seconds": seconds}, content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def test_the_clock_moves_for_everybody(client: Any) -> None:
    before = clock.now()
    told = move_clock(client, 900)
    assert (clock.now() - before).total_seconds() >= 900
    assert client.get("/dev/clock/").json()["now"] >= told["now"]


def test_the_clock_expires_an_order_before_it_answers_and_not_a_second_early(client: Any, monkeypatch: Any) -> None:
    moment = timezone.now()
    monkeypatch.setattr(clock, "timezone", SimpleNamespace(now=lambda: moment))  # only moves count, however slow we are
    order = make_order()
    move_clock(client, 14 * 60 + 59)
    order.refresh_from_db()
    assert (order.status, StockLevel.objects.get().reserved) == ("PENDING_PAYMENT", 1)
    move_clock(client, 2)
    order.refresh_from_db()
    assert (order.status, StockLevel.objects.get().reserved) == ("EXPIRED", 0)


def test_the_clock_runs_the_whole_timetable_each_time(client: Any, settings: Any) -> None:
    settings.SCHEDULE = [f"{__name__}.NOTED_FIRST", f"{__name__}.NOTED_LAST"]
    ran.clear()
    before = clock.now()
    move_clock(client, 60)
    move_clock(client, 60)
    assert [name for name, _ in ran] == ["first", "last"] * 2
    assert all(60 <= (at - before).total_seconds() < 120 for _, at in ran[:2])


ran: list[tuple[str, datetime]] = []
NOTED_FIRST = Entry("first", "* * * * *", lambda: ran.append(("first", clock.now())))
NOTED_LAST = Entry("last", "17 3 * * *", lambda: ran.append(("last", clock.now())))


def test_the_clock_wakes_the_relay_for_what_was_put_off(client: Any, settings: Any) -> None:
    settings.OUTBOX_NUDGE = f"{__name__}.nudged"
    nudges.clear()
    before = clock.now()
    move_clock(client, 1200)
    [woken] = nudges
    assert (woken - before).total_seconds() >= 1200


nudges: list[datetime] = []


def nudged(*, delay_s: float) -> None:
    assert delay_s == 0
    nudges.append(clock.now())


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"seconds": -1}', '{"seconds": "x"}', '{"seconds": true}', '{"seconds": 1e99}']
)
def test_the_clock_refuses_what_is_no_move(client: Any, body: str) -> None:
    assert client.post("/dev/clock/", body, content_type="application/json").status_code == 400
