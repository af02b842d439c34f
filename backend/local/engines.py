"""Real PostgreSQL and Redis from Python wheels, for whoever has set no DATABASE_URL and REDIS_URL.

They belong to a data folder and are shared by all processes that use it: whoever comes first starts
them, whoever goes last stops them. docs/decisions/0002-embedded-engines.md says why it is done so.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import environ

from backend.local import sockets
from backend.local.errors import EnginesError
from backend.local.locks import Lease, exclusive
from backend.local.postgres import Postgres
from backend.local.redis_server import Redis
from backend.local.server import Server, _wait

__all__ = ["Engines", "EnginesError", "data_dir", "ensure", "prepare_environment"]

BASE_DIR = Path(__file__).resolve().parent.parent.parent
