"""RefundCreate as order managers send it, and everybody else."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.core.caller import Role
from backend.core.models import OutboxEvent
from backend.core.money import Money
from backend.inventory.models import StockLevel, StockMovement
from backend.orders.models import Order
from backend.payments.models import Payment, PaymentTransaction, Refund
from backend.payments.services import execute_refund
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import make_user
from tests.factories.catalog import make_variant
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start
from tests.schema.documents import operation

pytestmark = pytest.mark.django_db

REFUND = operation((Path(__file__).parent / "refund.graphql").read_text(encoding="utf-8"), "RefundCreate")
PAYMENTS = """
query ($id: ID!, $token: String) {
  order(id: $id, token: $token) { payments { capturedAt method refunds { id status amount { amount } } } }
}
"""


@pytest.fixture
def manager(gql: Gql) -> Gql:
    return gql.signed_in(make_user(role=Role.ORDER_MANAGER))


def paid_order(**sent: Any) -> Order:
    order = make_order(**sent)
    payment = start(order)
    press(payment)
    deliver_all(payment)
    order.refresh_from_db()
    return order


def refund_input(order: Order, **sent: Any) -> dict[str, Any]:
    return {
        "orderId": encode("Order", order.pk),
        "reason": "It came broken.",
        "restock": False,
        "idempotencyKey": str(uuid4()),
        **sent,
    }


def amount(text: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": text, "currency": currency}


def nothing_goes_back() -> bool:
    return not Refund.objects.exists() and not OutboxEvent.objects.filter(topic="refund.requested").exists()


def test_a_part_goes_back_and_then_the_rest(manager: Gql) -> None:
    order = paid_order()
    first = manager(REFUND, **refund_input(order, amount=amount("2.50")))["refundCreate"]
    assert (first["userErrors"], first["refund"]["status"]) == ([], "PENDING")
    assert first["refund"]["amount"] == {"amount": "2.50", "currency": "USD"}
    assert first["order"]["totals"]["refunded"]["amount"] == "0.00"
    rest = manager(REFUND, **refund_input(order))["refundCreate"]
    assert rest["refund"]["amount"]["amount"] == f"{(order.total - 250) / 100:.2f}"
    for refund in Refund.objects.all():
        execute_refund(refund.pk)
    order.refresh_from_db()
    assert (order.payment_status, order.refunded) == ("REFUNDED", order.total)
    assert Refund.objects.exclude(requested_by=None).count() == 2


def test_the_same_key_decides_once(manager: Gql) -> None:
    order = paid_order()
    sent = refund_input(order, amount=amount("1.00"))
    first, again = (manager(REFUND, **sent)["refundCreate"]["refund"]["id"] for _ in range(2))
    assert first == again
    assert Refund.objects.count() == 1
    error = manager.refused(REFUND, **{**sent, "amount": amount("2.00")})
    assert error["code"] == "IDEMPOTENCY_CONFLICT"


def test_nobody_pays_back_what_the_bank_has_taken(manager: Gql) -> None:
    order = make_order()
    payment = start(order, scenario="DISPUTE_LOST")
    press(payment)
    deliver_all(payment)
    for sent in (refund_input(order), refund_input(order, amount=amount("1.00"))):
        refused = manager.refused(REFUND, **sent)
        assert (refused["code"], refused["field"]) == ("INVALID", ["input", "amount"])
    assert nothing_goes_back()


def test_several_payments_give_back_together(manager: Gql) -> None:
    order = make_order()
    for part in (400, order.total - 400):
        payment = start(order, amount=Money(part, "USD"))
        press(payment)
        deliver_all(payment)
    answer = manager(REFUND, **refund_input(order))["refundCreate"]
    assert [each["amount"]["amount"] for each in answer["refunds"]] == ["6.00", "4.00"]
    for refund in Refund.objects.all():
        execute_refund(refund.pk)
    assert set(Payment.objects.values_list("state", flat=True)) == {"REFUNDED"}


def test_units_go_back_on_the_shelves_once_with_all_of_the_money(manager: Gql) -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    payment = start(order)
    press(payment)
    deliver_all(payment)
    assert StockLevel.objects.get(variant=variant).on_hand == 3
    part = refund_input(order, amount=amount("1.00"), restock=True)
    assert manager.refused(REFUND, **part)["field"] == ["input", "restock"]
    assert nothing_goes_back()
    whole = refund_input(order, restock=True)
    for _ in range(2):
        manager(REFUND, **whole)
    level = StockLevel.objects.get(variant=variant)
    assert (level.on_hand, level.reserved) == (5, 0)
    moved = StockMovement.objects.filter(order_id=payment.order_id).order_by("pk")
    assert list(moved.values_list("delta", "reason")) == [(-2, "sold"), (2, "restocked")]
    assert list(OutboxEvent.objects.filter(topic="stock.changed").values_list("key", flat=True)) == [str(variant.pk)]


def test_the_last_of_several_refunds_brings_the_units_back(manager: Gql) -> None:
    variant = make_variant(stock=5)
    order = make_order((variant, 2))
    payment = start(order)
    press(payment)
    deliver_all(payment)
    manager(REFUND, **refund_input(order, amount=amount("1.00")))
    assert StockLevel.objects.get(variant=variant).on_hand == 3
    manager(REFUND, **refund_input(order, restock=True))
    assert StockLevel.objects.get(variant=variant).on_hand == 5


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({"amount": amount("1000000.00")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("0")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("-1.00")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("0.001")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("NaN")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("1E+400")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("1E+999999999")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("1E-999999999")}, "INVALID", ["input", "amount"]),
        ({"amount": amount("1.00", "EUR")}, "CURRENCY_MISMATCH", ["input", "amount"]),
        ({"reason": "  "}, "REQUIRED", ["input", "reason"]),
        ({"reason": "x" * 201}, "INVALID", ["input", "reason"]),
        ({"reason": "a\x00b"}, "INVALID", ["input", "reason"]),
        ({"orderId": "nonsense"}, "NOT_FOUND", ["input", "orderId"]),
        ({"orderId": encode("Order", UUID(int=7))}, "NOT_FOUND", ["input", "orderId"]),
        ({"idempotencyKey": ""}, "REQUIRED", ["input", "idempotencyKey"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_given_back_is_refused_and_nothing_is_kept(
    manager: Gql, sent: dict[str, Any], code: str, field: list[str]
) -> None:
    answer = manager(REFUND, **refund_input(paid_order(), **sent))
    if answer.errors:  # no number at all is refused before anything runs
        assert answer.codes == ["BAD_USER_INPUT"]
    else:
        [error] = answer["refundCreate"]["userErrors"]
        assert (error["code"], error["field"]) == (code, field)
    assert nothing_goes_back()


def test_an_order_that_nobody_paid_has_nothing_to_give_back(manager: Gql) -> None:
    assert manager.refused(REFUND, **refund_input(make_order()))["code"] == "INVALID"


@pytest.mark.parametrize("role", [None, Role.SUPPORT, Role.PRODUCT_MANAGER, Role.VENDOR])
def test_only_order_managers_give_money_back(gql: Gql, role: Role | None) -> None:
    order = paid_order()
    answer = gql.signed_in(make_user(role=role))(REFUND, **refund_input(order))
    assert answer.codes == ["FORBIDDEN"]
    assert gql(REFUND, **refund_input(order)).codes == ["UNAUTHENTICATED"]
    assert nothing_goes_back()


@pytest.mark.parametrize("size", [1, 4])
def test_payments_of_an_order_tell_their_refunds_in_as_many_statements(manager: Gql, gql: Gql, size: int) -> None:
    order = make_order()
    payments = [start(order) for _ in range(size)]
    press(payments[0])
    deliver_all(payments[0])
    manager(REFUND, **refund_input(order, amount=amount("1.00")))
    answer = gql(PAYMENTS, id=encode("Order", order.pk), token=order.token)
    first, *others = answer["order"]["payments"]
    assert (first["method"], bool(first["capturedAt"]), len(first["refunds"])) == ("CARD", True, 1)
    assert [each["capturedAt"] for each in others] == [None] * (size - 1)
    assert answer.statements == 4
    assert PaymentTransaction.objects.count() == 1
