import pytest

from backend.core import clock
from backend.core.caller import GUEST, Caller
from backend.core.errors import NotFound
from backend.core.models import OutboxEvent
from backend.orders.errors import EmailNotVerified
from backend.orders.models import Order
from backend.orders.queries import count_claimable_orders
from backend.orders.services import access_order, claim_orders
from tests.factories.accounts import make_customer
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def verified(email: str = "ada@example.com") -> Caller:
    return make_customer(email=email, email_verified_at=clock.now())


def owners() -> dict[object, int | None]:
    return dict(Order.objects.values_list("pk", "customer_id"))


def test_a_verified_customer_claims_guests_orders_under_their_address_in_any_case() -> None:
    first, second = make_order(email="ada@example.com"), make_order(email="ADA@Example.com")
    other, own = make_order(email="bob@example.com"), make_order(email="ada@example.com", caller=make_customer())
    before, events = owners(), OutboxEvent.objects.count()
    caller = verified("Ada@example.com")
    assert count_claimable_orders(caller=caller) == 2
    assert claim_orders(caller=caller) == 2
    assert owners() == {**before, first.pk: caller.user_id, second.pk: caller.user_id}
    assert owners()[other.pk] is None
    assert owners()[own.pk] != caller.user_id
    assert access_order(caller=caller, order_id=first.pk, token=None) == first
    assert access_order(caller=GUEST, order_id=first.pk, token=first.token) == first
    assert OutboxEvent.objects.count() == events


def test_claiming_twice_changes_nothing() -> None:
    make_order(email="ada@example.com")
    caller = verified()
    assert (claim_orders(caller=caller), claim_orders(caller=caller)) == (1, 0)
    assert count_claimable_orders(caller=caller) == 0


def test_an_address_that_nobody_has_shown_to_be_theirs_claims_nothing() -> None:
    make_order(email="ada@example.com")
    before = owners()
    caller = make_customer(email="ada@example.com")
    assert count_claimable_orders(caller=caller) == 0
    with pytest.raises(EmailNotVerified):
        claim_orders(caller=caller)
    for nobody in (GUEST, Caller(user_id=10**9)):
        assert count_claimable_orders(caller=nobody) == 0
        with pytest.raises(NotFound):
            claim_orders(caller=nobody)
    assert owners() == before


@pytest.mark.parametrize("alike", ["ad\u0430@example.com", "ada@examp\u0131e.com", "\u0131da@example.com"])
def test_an_address_that_only_looks_like_it_claims_nothing(alike: str) -> None:
    order = make_order(email="ida@example.com")
    Order.objects.filter(pk=order.pk).update(email=alike)
    assert claim_orders(caller=verified("ida@example.com")) == 0
    assert claim_orders(caller=verified("ada@example.com")) == 0
