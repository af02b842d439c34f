"""Refreshing, signing out and registering at the same instant, and from two processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backend.accounts import services
from backend.accounts.errors import EmailTaken, TokenInvalid
from backend.accounts.links import EMAIL_LINK, PASSWORD_LINK
from backend.accounts.models import RefreshToken, Session, User
from backend.core import clock
from backend.core.caller import Caller
from backend.core.models import OutboxEvent
from tests.factories.accounts import PASSWORD, make_user
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parent.parent.parent
ELSEWHERE = """
import asyncio, sys
import django
django.setup()
from backend.accounts.tokens import TokenRefused
from schema.server import callers

async def look(token):
    try:
        await callers.identify(token)
        return "alive"
    except TokenRefused as refusal:
        return refusal.reason

async def main():
    token = sys.stdin.readline().strip()
    print(await look(token), flush=True)
    sys.stdin.readline()
    later = callers.time.monotonic() + callers.KNOWN_S  # its second is over
    callers.time.monotonic = lambda: later
    print(await look(token), flush=True)

asyncio.run(main())
"""


def test_fifty_refreshes_at_once_give_one_successor() -> None:
    tokens = services.open_session(user=make_user())
    answers = at_once([lambda: services.refresh_session(refresh_token=tokens.refresh)] * 50)
    assert len({answer.refresh for answer in answers}) == 1
    assert RefreshToken.objects.count() == 2
    assert Session.objects.get().revoked_at is None
    assert not OutboxEvent.objects.filter(topic="session.token_reused").exists()


def test_a_stolen_token_ends_the_session_once_however_often_it_comes(settings: Any) -> None:
    tokens = services.open_session(user=make_user())
    services.refresh_session(refresh_token=tokens.refresh)
    clock.move_offset(settings.REFRESH_GRACE_S + 1)
    answers = at_once([lambda: services.refresh_session(refresh_token=tokens.refresh)] * 20)
    assert {type(answer) for answer in answers} == {TokenInvalid}
    assert OutboxEvent.objects.filter(topic="session.token_reused").count() == 1


def test_refreshing_while_signing_out_leaves_nothing_alive() -> None:
    user = make_user()
    tokens = services.open_session(user=user)

    def refresh() -> Any:
        return services.refresh_session(refresh_token=tokens.refresh)

    answers = at_once([refresh, lambda: services.revoke_all_sessions(user_id=user.pk)] * 10)
    texts = {tokens.refresh, *(answer.refresh for answer in answers if isinstance(answer, services.Tokens))}
    for text in texts:
        with pytest.raises(TokenInvalid):
            services.refresh_session(refresh_token=text)


def test_one_address_registers_once() -> None:
    def register() -> Any:
        given = services.Registration(email="ada@example.com", password=PASSWORD)
        user = services.checked_registration(given, country="US")
        return services.register(user=services.with_password(user, PASSWORD), language="en")

    answers = at_once([register] * 10)
    assert sorted(type(answer).__name__ for answer in answers) == ["EmailTaken"] * 9 + ["Tokens"]
    assert User.objects.count() == Session.objects.count() == 1


def test_two_people_cannot_both_move_to_one_address() -> None:
    users = [make_user(f"{n}@example.com", pending_email="wanted@example.com") for n in range(4)]
    links = [EMAIL_LINK.token(user) for user in users]
    answers = at_once([lambda link=link: services.verify_email(token=link) for link in links])
    assert sorted(type(answer).__name__ for answer in answers) == ["EmailTaken"] * 3 + ["User"]
    assert EmailTaken.code == "EMAIL_TAKEN"


def test_a_reset_link_works_once_even_at_once() -> None:
    user = make_user()
    link = PASSWORD_LINK.token(user)
    hashes = [services.hash_password(f"{PASSWORD}{n}") for n in range(10)]
    answers = at_once([lambda each=each: services.reset_password(token=link, new_hash=each) for each in hashes])
    assert sorted(type(answer).__name__ for answer in answers) == ["TokenInvalid"] * 9 + ["Tokens"]
    assert Session.objects.filter(revoked_at=None).count() == 1


def test_a_password_is_changed_once_by_the_same_old_one() -> None:
    user = make_user()
    caller = Caller(user_id=user.pk)

    def change(number: int) -> Any:
        candidate = services.candidate_of(User.objects.get(pk=user.pk))
        proof = services.check_password(candidate, PASSWORD)
        new_hash = services.hash_password(f"{PASSWORD}{number}")
        return services.change_password(caller=caller, candidate=candidate, proof=proof, new_hash=new_hash)

    answers = at_once([lambda n=n: change(n) for n in range(8)])
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidCredentials"] * 7 + ["User"]


def test_signing_out_is_seen_by_another_process() -> None:
    tokens = services.open_session(user=make_user())
    given = connection.settings_dict
    url = os.environ["DATABASE_URL"].rpartition("/")[0]
    environment = {**os.environ, "DATABASE_URL": f"{url}/{given['NAME']}", "DJANGO_SETTINGS_MODULE": "backend.settings"}
    process = subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE], cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(tokens.access + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "alive\n"
        services.revoke_by_refresh_token(refresh_token=tokens.refresh)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "TOKEN_INVALID\n"
