"""Loaded before Django's settings: tests run on a real PostgreSQL and Redis, the given ones or embedded ones."""

import os
from pathlib import Path

os.environ["ENVIRONMENT"] = "test"
os.environ["DB_POOL_SIZE"] = "0"
os.environ["FORGED_WEBHOOKS_KEPT"] = "1000000/minute"  # what earlier runs have sent does not count
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # with a pool of 0, db() runs on the test's own connection


def _own_redis_database(url: str) -> str:
    """A Redis database for each parallel test process, so that they do not see each other's keys."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return url
    base = url.partition("?")[0] if "unix://" in url else url.rpartition("/")[0]
    number = int(worker.removeprefix("gw")) + 1
    return f"{base}?db={number}" if "unix://" in url else f"{base}/{number}"


if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    from backend.local import engines

    os.environ.setdefault("DATA_DIR", str(Path(__file__).parent.parent / ".local" / "test"))
    engines.prepare_environment()
os.environ["REDIS_URL"] = _own_redis_database(os.environ["REDIS_URL"])
