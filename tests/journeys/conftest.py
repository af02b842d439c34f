"""One shop of real processes for all stories of a test process."""

from collections.abc import Iterator

import pytest

from tests.journeys.shop import Shop, running_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop") / "data") as running:
        yield running


@pytest.fixture(autouse=True)
def clean_redis() -> None:
    """These stories have a Redis of their own."""
