"""How passwords are hashed."""

from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import Argon2PasswordHasher

# Each thread keeps the memory of its last hash (the allocator's way), and Django gives every request a new thread:
# a lock alone would bound how many hash at once, not what they keep. Two are 40 logins a second and more.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


class LeanArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id at what OWASP asks for at least (19 MiB, two passes, one lane), in two threads.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id

    Django's default takes 100 MiB and eight lanes for each login, the wrong ones too: a handful at once fills the
    memory of a web process. Hashes of other parameters verify, and are made anew at the next login.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return _THREADS.submit(super().encode, password, salt).result()

    def verify(self, password: str, encoded: str) -> bool:
        return _THREADS.submit(super().verify, password, encoded).result()
