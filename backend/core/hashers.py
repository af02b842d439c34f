"""How passwords are hashed."""

import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

Result = TypeVar("Result")
_own = threading.local()
NICENESS = 10
LOWEST = 19


def _begin_thread() -> None:
    _own.hashing = True
    if sys.platform == "linux":
        # Priorities are each thread's own there: many logins at once leave the processors to other requests. Lower
        # than the process' own, which whoever started it may have lowered already.
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + NICENESS, LOWEST))


# Each thread keeps the memory of its last hash (the allocator's way), and Django gives every request a new thread:
# a lock alone would bound how many hash at once, not what they keep. Two are 40 logins a second and more.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords", initializer=_begin_thread)


def submit(function: Callable[[], Result]) -> "Future[Result]":
    """Run what hashes passwords on a thread that is meant for it, so that nobody else's thread waits."""
    return _THREADS.submit(function)


def _on_own_thread(function: Callable[[], Result]) -> Result:
    """In place where that thread is one already: two that wait for each other would wait for ever."""
    return function() if getattr(_own, "hashing", False) else submit(function).result()


def normalized(password: str) -> str:
    """The same text for the same letters, whatever keyboard made them (NIST SP 800-63B, 3.1.1.2).

    One device sends an umlaut as one character, another as a letter and its dots.
    """
    return unicodedata.normalize("NFKC", password)


class LeanArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id at what OWASP asks for at least (19 MiB, two passes, one lane), in two threads.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id

    Django's default takes 100 MiB and eight lanes for each login, the wrong ones too: a handful at once fills the
    memory of a web process. Hashes of other parameters verify, and are made anew at the next login. What was hashed
    before passwords were normalized still opens: as it was typed then.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        encode = super().encode
        return _on_own_thread(lambda: encode(normalized(password), salt))

    def verify(self, password: str, encoded: str) -> bool:
        verify = super().verify
        texts = dict.fromkeys((normalized(password), password))
        return _on_own_thread(lambda: any(verify(text, encoded) for text in texts))
