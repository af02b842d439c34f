"""PayPal's double, started once for each module, and the shop set up for it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.gateways.harness import running
from tests.gateways.harnesses.paypal import PayPalHarness


@pytest.fixture(scope="module")
def process() -> Iterator[PayPalHarness]:
    with running(PayPalHarness()) as harness:
        yield harness


@pytest.fixture
def paypal(process: PayPalHarness, settings: Any) -> Iterator[PayPalHarness]:
    process.reset()
    settings.GATEWAYS = {"paypal": [process.account()]}
    yield process
    process.mend()


@pytest.fixture
def by_hand(paypal: PayPalHarness, settings: Any) -> PayPalHarness:
    """Money is set aside, and staff take it."""
    settings.GATEWAYS = {"paypal": [replace(paypal.account(), manual_capture=True)]}
    return paypal
