"""Where buyers may be sent back to."""

from typing import Any

import pytest

from backend.core.errors import DomainError
from tests.factories.orders import make_order
from tests.factories.payments import start

pytestmark = pytest.mark.django_db


def test_return_addresses_are_limited_to_the_origins_that_the_shop_names(settings: Any) -> None:
    settings.RETURN_URL_ORIGINS = ["https://shop.example"]
    assert start(make_order()).pk
    with pytest.raises(DomainError) as refusal:
        start(make_order(), return_url="https://evil.example/thanks")
    assert refusal.value.field == ["returnUrl"]


@pytest.mark.parametrize(
    "url",
    [
        "http://storefront:3000/back",
        "http://my_shop/",
        "HTTP://Storefront:8080?a=1",
        "http://[::1]:3000/",
        "http://7:7/7",
    ],
)
def test_containers_may_be_returned_to_where_no_origins_are_listed(url: str, settings: Any) -> None:
    settings.RETURN_URL_ORIGINS = []
    assert start(make_order(), return_url=url).return_url == url
    settings.RETURN_URL_ORIGINS = ["https://shop.example"]
    with pytest.raises(DomainError) as refusal:
        start(make_order(), return_url=url)
    assert refusal.value.field == ["returnUrl"]


@pytest.mark.parametrize("origin", ["http://storefront:3000", "http://my_shop.internal_net:8080"])
def test_every_listed_origin_may_be_returned_to(origin: str, settings: Any) -> None:
    settings.RETURN_URL_ORIGINS = [origin]
    assert start(make_order(), return_url=f"{origin}/back?a=1").pk
    for other in (f"{origin}1/", origin.replace("http:", "https:"), f"http://shop@{origin[7:]}/", f"{origin}/a b"):
        with pytest.raises(DomainError) as refusal:
            start(make_order(), return_url=other)
        assert refusal.value.field == ["returnUrl"]
