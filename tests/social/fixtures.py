"""The provider, for tests of signing in with it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.social.running import Provider, running


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider, settings: Any) -> Provider:
    """The shop's Google and GitHub, in good health."""
    provider_process.configure(settings)
    provider_process.be_broken()
    return provider_process
