"""Passwords: what a login costs, and that older hashes stay good."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, check_password, make_password

from backend.accounts.models import User

ROOT = Path(__file__).parent.parent.parent.parent
LEAN = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
SIXTEEN_WRONG_LOGINS = """
import resource, sys, threading
from backend.core.hashers import LeanArgon2PasswordHasher
hasher = LeanArgon2PasswordHasher()
encoded = hasher.encode("right", "saltsaltsalt")
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 if sys.platform == "linux" else 1024)
before = peak()
threads = [threading.Thread(target=hasher.verify, args=("wrong", encoded)) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(peak() - before)
"""


@pytest.fixture(autouse=True)
def _hashers_of_the_shop(settings: Any) -> None:
    """Tests hash with MD5 otherwise."""
    settings.PASSWORD_HASHERS = [
        "backend.core.hashers.LeanArgon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


def test_the_shop_hashes_leanly() -> None:
    code = "from backend import settings; print(settings.PASSWORD_HASHERS)"
    environment = {**os.environ, "ENVIRONMENT": "development"}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("['backend.core.hashers.LeanArgon2PasswordHasher', ")
    assert make_password("secret").startswith(LEAN)


@pytest.mark.django_db
@pytest.mark.parametrize("hasher", [Argon2PasswordHasher, PBKDF2PasswordHasher])
def test_an_older_hash_is_good_for_one_more_login_and_made_anew(hasher: type[Any]) -> None:
    user = User.objects.create(email="ada@example.com", password=hasher().encode("secret", "saltsaltsalt"))
    assert authenticate(username=user.email, password="wrong") is None
    assert authenticate(username=user.email, password="secret") == user
    user.refresh_from_db()
    assert user.password.startswith(LEAN)
    assert check_password("secret", user.password)


def test_one_password_is_the_same_from_every_keyboard() -> None:
    composed, decomposed, wide = "Zo\u00eb-batt3ry", "Zoe\u0308-batt3ry", "\uff3ao\u00eb-batt3ry"
    encoded = make_password(composed)
    assert all(check_password(each, encoded) for each in (composed, decomposed, wide))
    assert not check_password("Zoe-batt3ry", encoded)
    before = Argon2PasswordHasher().encode(decomposed, "saltsaltsalt")
    assert check_password(decomposed, before)
    assert not check_password("Zoe-batt3ry", before)


@pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere a thread has no priority of its own.")
def test_hashing_yields_to_the_rest_of_its_process_however_that_was_started() -> None:
    code = (
        "import os, threading; os.nice(5)\n"
        "from backend.core.hashers import submit\n"
        "print(submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())).result() - os.nice(0))"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "10"


def test_many_logins_at_once_take_the_memory_of_two() -> None:
    command = [sys.executable, "-c", SIXTEEN_WRONG_LOGINS]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 50_000  # KiB; one hash takes 19,456
