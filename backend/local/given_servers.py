"""Whether the servers that DATABASE_URL and REDIS_URL name can be reached, asked before anything starts.

`python -m backend.local.given_servers` waits until they can, for containers that start side by side.
"""

import os
import sys
import time

import environ
import psycopg
import redis

from backend.environment import RULES
from backend.local.errors import LocalError

TIMEOUT_S = 5
WAIT_S = 60


def _check(name: str, url: str) -> None:
    if not RULES[name].holds(url):
        raise LocalError(f"{name} must be {RULES[name].words}.")


def check_database(url: str) -> None:
    _check("DATABASE_URL", url)
    config = environ.Env.db_url_config(url)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    given = {word: config[key] for key, word in names.items() if config.get(key)}
    try:
        psycopg.connect(**given, **config.get("OPTIONS", {}), connect_timeout=TIMEOUT_S).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise LocalError(f"The PostgreSQL of DATABASE_URL cannot be used: {reason}.") from error


def check_redis(url: str) -> None:
    _check("REDIS_URL", url)
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise LocalError(f"The Redis of REDIS_URL cannot be used: {str(error).rstrip('.')}.") from error


def check_all() -> None:
    """Both, where they are given. Raises LocalError."""
    if url := os.environ.get("DATABASE_URL"):
        check_database(url)
    if url := os.environ.get("REDIS_URL"):
        check_redis(url)


def wait_for_all() -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return check_all()
        except LocalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    try:
        wait_for_all()
    except LocalError as trouble:
        sys.exit(str(trouble))
