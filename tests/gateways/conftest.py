"""Every gateway's double, started once when a test first wants it; the stories run over each."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import stamina

from backend.payments.gateways.http import close_circuits
from tests.gateways import harnesses
from tests.gateways.harness import Harness, running

NAMES = sorted(module.name for module in pkgutil.iter_modules(harnesses.__path__))


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Retries without waiting, and no circuit that an earlier test has opened."""
    close_circuits()
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(params=NAMES, scope="session")
def started(request: pytest.FixtureRequest) -> Iterator[Harness]:
    double: Harness = import_module(f"tests.gateways.harnesses.{request.param}").HARNESS
    with running(double):
        yield double


@pytest.fixture
def harness(started: Harness, settings: Any) -> Iterator[Harness]:
    """A gateway's double with nothing in it, and the shop set up for it alone.

    What is broken stays so until it is mended: one try finds out as much as three (test_http.py counts them).
    """
    settings.GATEWAYS = {started.gateway: [started.account()]}
    started.reset()
    with stamina.set_testing(True, attempts=1, cap=True):
        yield started
    started.mend()
