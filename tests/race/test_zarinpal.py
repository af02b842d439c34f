"""A callback that comes many times at once, and the lists that find what it tells: the money is booked once."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.payments.models import Payment
from backend.payments.services import verify_returned, verify_silent_payments, verify_unclaimed_payments
from tests.gateways.harness import running
from tests.gateways.harnesses.zarinpal import ZarinpalHarness
from tests.gateways.shop import begin, order_for
from tests.gateways.telling import assert_paid_once
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def process() -> Iterator[ZarinpalHarness]:
    with running(ZarinpalHarness()) as harness:
        yield harness


def test_callbacks_and_lists_at_the_same_instant_take_once(process: ZarinpalHarness, settings: Any) -> None:
    process.reset()
    settings.GATEWAYS = {"zarinpal": [process.account(timeout_s="10")]}
    for returned in ("OK", "NOK", "OK"):
        payment = begin(order_for(process), "zarinpal")
        process.pay(payment)
        back = [lambda pk=payment.pk, said=returned: verify_returned(pk, {"returned": said})] * 4
        at_once([*back, verify_unclaimed_payments, verify_silent_payments])
        assert_paid_once(process, Payment.objects.get(pk=payment.pk))
