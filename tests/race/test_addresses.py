"""Defaults that are set at the same instant, on the real database."""

import pytest

from backend.accounts.address_book import create_address, set_default_address
from backend.accounts.models import SavedAddress
from tests.factories.accounts import make_customer
from tests.factories.carts import ADDRESS
from tests.race.running import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_twenty_defaults_one_is_the_last() -> None:
    caller = make_customer()
    kept = at_once([lambda: create_address(caller=caller, address=ADDRESS)] * 10)
    assert SavedAddress.objects.filter(is_default_shipping=True, is_default_billing=True).count() == 1
    at_once(
        [
            lambda each=each: set_default_address(caller=caller, address_id=each.pk, shipping=True, billing=True)
            for each in kept * 2
        ]
    )
    assert SavedAddress.objects.filter(is_default_shipping=True).count() == 1
    assert SavedAddress.objects.filter(is_default_billing=True).count() == 1
