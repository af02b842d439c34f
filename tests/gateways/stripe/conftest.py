"""One proxy before one localstripe for all of these tests; the account's flow is the test's to choose."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stripe import StripeClient, V1Services

from backend.payments.gateways.stripe import GATEWAY
from backend.payments.gateways.stripe.adapter import StripeGateway
from tests.gateways.fakes.stripe_api import KEY
from tests.gateways.harnesses.stripe import StripeHarness

Gateway = Callable[..., StripeGateway]


@pytest.fixture(scope="session")
def double() -> Iterator[StripeHarness]:
    harness = StripeHarness()
    harness.begin()
    yield harness
    harness.end()


@pytest.fixture
def stripe(double: StripeHarness) -> Iterator[StripeHarness]:
    double.reset()
    yield double
    double.mend()


@pytest.fixture
def gateway(stripe: StripeHarness) -> Gateway:
    """The adapter, with other settings where a test names them."""
    return lambda **changed: GATEWAY(stripe.account(**changed))


@pytest.fixture(params=["CLIENT_SECRET", "REDIRECT"])
def shop(request: pytest.FixtureRequest, stripe: StripeHarness, settings: Any) -> StripeHarness:
    """The shop offers Stripe in both flows, one after the other."""
    settings.GATEWAYS = {"stripe": [stripe.account(flow=request.param)]}
    return stripe


@pytest.fixture
def sdk(stripe: StripeHarness) -> V1Services:
    """The SDK without our adapter, to try the double."""
    return StripeClient(KEY, base_addresses={"api": stripe.url}, max_network_retries=0).v1
