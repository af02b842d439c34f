"""What only Zarinpal does: rial and toman, a callback that anybody can send, verification that takes, reversals."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.test import Client

from backend.payments.gateways.base import (
    Buyer,
    ChargeState,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    PaymentRef,
    RefundRefused,
    RefundRequest,
    StartRequest,
)
from backend.payments.gateways.http import GatewayHttp
from backend.payments.gateways.zarinpal import ZarinpalGateway, _in_unit
from backend.payments.models import GatewayCall, Operation, Payment
from backend.payments.services import verify_unclaimed_payments
from tests.gateways.fakes import zarinpal as double
from tests.gateways.harness import Break, running
from tests.gateways.harnesses.zarinpal import ZarinpalHarness
from tests.gateways.known import known_answers
from tests.gateways.shop import begin, come_back, order_for, refunds_of, sweep, sweep_refunds, verify, work
from tests.gateways.telling import assert_paid_once, assert_unpaid
from tests.gateways.test_stories import decide_refund, paid

pytestmark = pytest.mark.django_db
KNOWN = known_answers("zarinpal")


@pytest.fixture(scope="module")
def process() -> Iterator[ZarinpalHarness]:
    with running(ZarinpalHarness()) as harness:
        yield harness


@pytest.fixture
def terminal(process: ZarinpalHarness, settings: Any) -> ZarinpalHarness:
    process.reset()
    settings.GATEWAYS = {"zarinpal": [process.account()]}
    return process


@pytest.fixture
def with_panel(terminal: ZarinpalHarness, settings: Any) -> ZarinpalHarness:
    settings.GATEWAYS = {"zarinpal": [terminal.with_panel()]}
    return terminal


def asked(**changed: Any) -> StartRequest:
    request = StartRequest(
        payment_id=uuid4(),
        order_number="1001",
        amount=1_250_000,
        currency="IRR",
        return_url="https://shop.example/thanks",
        callback_url="https://api.shop.example/payments/return/?a=b",
        description="Shop 1001",
        buyer=Buyer(email="ada@example.com", phone="۰۹۱۲ ۳۴۵ ۶۷۸۹"),
    )
    return replace(request, **changed)


def ref(request: StartRequest, reference: str, **data: str) -> PaymentRef:
    return PaymentRef(
        payment_id=request.payment_id, reference=reference, amount=request.amount, currency=request.currency, data=data
    )


def answering(answer: Any, status: int = 200) -> ZarinpalGateway:
    """A gateway of ours whose every question gets that answer."""
    gateway = ZarinpalGateway(ZarinpalHarness.account(FIXED))
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=answer))
    gateway._http = GatewayHttp("zarinpal", "https://zarinpal.example", transport=transport)
    return gateway


class Fixed(ZarinpalHarness):
    url = "https://zarinpal.example"


FIXED = Fixed()


# Units --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", KNOWN["units"], ids=str)
def test_rial_and_toman_as_known(known: dict[str, Any]) -> None:
    request = asked(amount=known["rial"])
    assert _in_unit(request, "IRR") == known["rial"]
    if known["toman"] is None:
        with pytest.raises(ValueError, match="no whole toman"):
            _in_unit(request, "IRT")
    else:
        assert _in_unit(request, "IRT") == known["toman"]


@pytest.mark.parametrize(
    ("unit", "rial", "sent"), [("IRR", 1_250_000, "IRR"), ("IRT", 1_250_000, "IRT"), ("IRT", 12_345, "IRR")]
)
def test_the_number_that_was_asked_is_verified_in_its_unit(
    terminal: ZarinpalHarness, unit: str, rial: int, sent: str
) -> None:
    gateway, request = ZarinpalGateway(terminal.account(unit=unit)), asked(amount=rial)
    started = gateway.start(request)
    assert started.data == {"unit": sent}
    terminal.command("act", reference=started.reference, status="PAID")
    report = ZarinpalGateway(terminal.account(unit="IRR")).verify(ref(request, started.reference, **started.data))
    assert report
    assert (report.state, report.amount) == (ChargeState.SUCCEEDED, rial)
    assert terminal.command("sums", reference=started.reference)["taken"] == rial


def test_mixed_up_units_are_flagged_and_nothing_is_taken(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    Payment.objects.filter(pk=payment.pk).update(data={"unit": "IRR"})
    assert verify(Payment.objects.get(pk=payment.pk)).state == "FLAGGED"
    assert terminal.taken(payment) == 0
    payment.refresh_from_db()
    assert "0 in place of 1250000" in payment.error_message


def test_another_amount_is_told_to_staff(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    terminal.misreport(payment, amount_off=-100)
    assert "1249000 in place of 1250000" in verify(payment).error_message


# Beginning ----------------------------------------------------------------------------------------


def test_the_double_refuses_what_the_real_one_refuses(terminal: ZarinpalHarness) -> None:
    sent = {
        "merchant_id": double.MERCHANT_ID,
        "amount": 10_000,
        "currency": "IRR",
        "description": "d",
        "callback_url": "https://shop.example",
        "metadata": {"mobile": "09123456789"},
    }
    for wrong in (
        {"merchant_id": "x"},
        {"amount": 9_999},
        {"amount": "10000"},
        {"amount": 10_000.0},
        {"currency": "IRT", "amount": 999},
        {"currency": "EUR"},
        {"description": ""},
        {"description": "x" * 501},
        {"callback_url": "shop.example"},
        {"metadata": {"mobile": "9123456789"}},
        {"metadata": {"email": None}},
        {"metadata": {"order_id": ""}},
    ):
        answer = httpx.post(f"{terminal.url}/pg/v4/payment/request.json", json=sent | wrong)
        assert (answer.status_code, answer.json()["data"], answer.json()["errors"]["code"]) == (422, [], -9)
    assert httpx.post(f"{terminal.url}/pg/v4/payment/request.json", json=sent).json()["errors"] == []


@pytest.mark.parametrize(
    ("changed", "code", "own"),
    [
        ({"amount": 9_990}, ErrorCode.INVALID_AMOUNT, "-9"),
        ({"callback_url": "nowhere"}, ErrorCode.INVALID_REQUEST, "-9"),
    ],
)
def test_refusals_are_told_in_our_words(terminal: ZarinpalHarness, changed: Any, code: ErrorCode, own: str) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        ZarinpalGateway(terminal.account()).start(asked(**changed))
    assert (refusal.value.code, refusal.value.gateway_code) == (code, own)


def test_a_wrong_merchant_id_is_ours_to_mend(terminal: ZarinpalHarness) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        ZarinpalGateway(terminal.account(merchant_id=str(UUID(int=0)))).start(asked())
    assert refusal.value.code is ErrorCode.MISCONFIGURED


@pytest.mark.parametrize("phone", ["", "+98 912 345 6789", "0098-9123456789", "12345", "09" + "1" * 40, "۰۹۱۲۳۴۵۶۷۸۹"])
def test_mobile_numbers_are_normalized_or_left_out(terminal: ZarinpalHarness, phone: str) -> None:
    buyer = Buyer(email="", phone=phone)
    assert ZarinpalGateway(terminal.account()).start(asked(buyer=buyer, description="‌فروشگاه" * 100))


# What verification says ---------------------------------------------------------------------------


@pytest.mark.parametrize("known", KNOWN["verify_cases"], ids=str)
@pytest.mark.parametrize("empty", [[], {}], ids=str)
def test_known_verifications(known: dict[str, Any], empty: Any) -> None:
    answer = {"data": known.get("data", empty), "errors": known.get("errors", empty)}
    request = asked()
    payment = ref(request, "S" + "0" * 35, returned="OK")
    try:
        report = answering(answer).verify(payment)
    except GatewayUnavailable:  # it was not paid, and here no inquiry tells more
        assert known["errors"]["code"] == -51
        return
    assert report
    fits = report.state is ChargeState.SUCCEEDED and report.amount == request.amount
    assert (fits, report.amount != request.amount) == (known["paid"], known.get("alarm", False))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"data": [], "errors": []}, 200),
        ({"data": [], "errors": {}}, 422),
        ({}, 200),
        ([], 200),
        ({"data": {"code": True}, "errors": []}, 200),
        ({"data": {"code": "hundred"}, "errors": []}, 200),
        ({"data": {"code": 100.0}, "errors": []}, 200),
        ({"data": [], "errors": {"code": -52, "message": "internal"}}, 200),
        ({"data": [], "errors": [{"code": -12}]}, 400),
        ({"data": {"code": 100}}, 503),
        ({"data": {"code": 999}, "errors": []}, 200),
    ],
)
def test_answers_that_tell_nothing_settle_nothing(answer: Any, status: int) -> None:
    with pytest.raises(GatewayUnavailable):
        answering(answer, status).verify(ref(asked(), "S" + "0" * 35, returned="OK"))


def test_errors_in_a_list_are_read_too() -> None:
    answer = {"data": [], "errors": [{"code": -54, "message": "Invalid authority."}]}
    assert answering(answer, 400).verify(ref(asked(), "S" + "0" * 35)) is None


# Callbacks ----------------------------------------------------------------------------------------


def back(payment: Payment, **query: str) -> None:
    assert Client().get(f"/payments/return/zarinpal/{payment.pk}/", query).status_code == 303
    work()


def test_a_forged_ok_takes_nothing(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    back(payment, Authority=payment.reference, Status="OK")
    assert_unpaid(payment, "REQUIRES_ACTION")


def test_a_forged_nok_on_a_paid_one_does_not_lose_it(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    back(payment, Authority=payment.reference, Status="nok")
    assert_unpaid(payment, "REQUIRES_ACTION")
    assert Payment.objects.get(pk=payment.pk).error_code == "ABANDONED"
    terminal.pay(payment)
    back(payment, Authority=payment.reference, Status="NOK")
    assert_paid_once(terminal, payment)


@pytest.mark.parametrize("authority", ["", "S" + "9" * 35, "x' OR 1=1", "S" * 5000])
def test_an_authority_that_is_not_the_payments_is_no_hint(terminal: ZarinpalHarness, authority: str) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    back(payment, Authority=authority, Status="OK")
    assert_paid_once(terminal, payment)
    gateway = ZarinpalGateway(terminal.account())
    assert gateway.read_return(ref(asked(), payment.reference), {"Authority": authority, "Status": "OK"}) == {}


def test_a_callback_that_comes_twice_takes_once(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    for _ in range(2):
        come_back(terminal, payment)
    assert_paid_once(terminal, payment)
    assert GatewayCall.objects.filter(payment=payment).count() == 2  # the start, and one question


def test_a_shop_that_lost_the_verification_hears_it_again(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    terminal.break_(Operation.VERIFY, Break.LOST_AFTER)
    come_back(terminal, payment)
    terminal.mend()
    assert terminal.taken(payment) in (0, terminal.total)
    sweep()
    assert_paid_once(terminal, payment)


def test_the_callback_keeps_its_own_query(terminal: ZarinpalHarness) -> None:
    started = ZarinpalGateway(terminal.account()).start(asked())
    assert started.next_action
    answer = httpx.post(started.next_action["url"], data={"act": "PAID"})
    expected = f"https://api.shop.example/payments/return/?a=b&Authority={started.reference}&Status=OK"
    assert (answer.status_code, answer.headers["location"]) == (303, expected)


def test_messages_that_zarinpal_never_sends_are_refused(terminal: ZarinpalHarness) -> None:
    assert Client().post("/webhooks/zarinpal/", {"Authority": "x"}).status_code == 400


# Paid, and nobody has taken it --------------------------------------------------------------------


def test_who_pays_after_a_failure_without_coming_back_is_found(terminal: ZarinpalHarness) -> None:
    payment = begin(order_for(terminal), "zarinpal")
    terminal.decline(payment)
    come_back(terminal, payment)
    assert_unpaid(payment, "FAILED")
    terminal.pay(payment)
    sweep()
    assert_unpaid(payment, "FAILED")
    assert verify_unclaimed_payments() == 1
    assert_paid_once(terminal, payment)
    assert verify_unclaimed_payments() == 0


def test_what_is_unclaimed_and_not_ours_or_flagged_is_left_alone(terminal: ZarinpalHarness) -> None:
    stranger = ZarinpalGateway(terminal.account()).start(asked())
    terminal.command("act", reference=stranger.reference, status="PAID")
    payment = begin(order_for(terminal), "zarinpal")
    terminal.pay(payment)
    terminal.misreport(payment, amount_off=100)
    verify(payment)
    assert verify_unclaimed_payments() == 0
    assert_unpaid(payment, "FLAGGED")


def test_a_gateway_that_does_not_list_is_asked_later(terminal: ZarinpalHarness, settings: Any) -> None:
    settings.GATEWAYS = {"zarinpal": [terminal.account(api_url="http://127.0.0.1:9")]}
    assert verify_unclaimed_payments() == 0


# Giving back --------------------------------------------------------------------------------------


def test_a_reversal_comes_too_late(terminal: ZarinpalHarness) -> None:
    payment = paid(terminal)
    terminal.command("age", reference=payment.reference, seconds=1801)
    decide_refund(payment, terminal.total)
    work()
    assert refunds_of(payment) == [(terminal.total, "FAILED")]
    assert terminal.given_back(payment) == 0


def test_a_part_needs_the_panel(terminal: ZarinpalHarness) -> None:
    payment = paid(terminal)
    decide_refund(payment, 250_000)
    work()
    assert refunds_of(payment) == [(250_000, "FAILED")]


def test_a_payment_reversed_at_the_gateway_is_known(terminal: ZarinpalHarness) -> None:
    """By somebody in the panel, or by an answer of ours that was lost."""
    payment = paid(terminal)
    terminal.act(payment, "REVERSED")
    decide_refund(payment, terminal.total)
    work()
    assert refunds_of(payment) == [(terminal.total, "SUCCEEDED")]


@pytest.mark.parametrize("late", [True, False])
def test_the_panel_gives_back_parts_and_what_is_old(with_panel: ZarinpalHarness, late: bool) -> None:
    payment = paid(with_panel)
    with_panel.command("age", reference=payment.reference, seconds=1801 if late else 0)
    parts = [with_panel.total] if late else [250_000, 1_000_000]
    for amount in parts:
        decide_refund(payment, amount)
        work()
    assert refunds_of(payment) == [(amount, "SUCCEEDED") for amount in parts]
    assert with_panel.given_back(payment) == with_panel.total


def test_a_server_whose_address_is_not_registered_uses_the_panel(with_panel: ZarinpalHarness) -> None:
    payment = paid(with_panel)
    with_panel.command("forget_ip")
    decide_refund(payment, with_panel.total)
    work()
    assert refunds_of(payment) == [(with_panel.total, "SUCCEEDED")]


@pytest.mark.parametrize("how", [Break.LOST_BEFORE, Break.LOST_AFTER, Break.GARBAGE, Break.ERROR_500])
def test_a_refund_at_the_panel_without_an_answer_is_left_to_staff(with_panel: ZarinpalHarness, how: Break) -> None:
    payment = paid(with_panel)
    decide_refund(payment, 250_000)
    with_panel.break_(Operation.REFUND, how)
    work()
    with_panel.mend()
    sweep_refunds(with_panel)
    assert refunds_of(payment) == [(250_000, "REVIEW")]
    assert with_panel.given_back(payment) == (250_000 if how is Break.LOST_AFTER else 0)


@pytest.mark.parametrize(
    ("changed", "rial", "code"),
    [
        ({}, 19_999, ErrorCode.INVALID_AMOUNT),
        ({"access_token": "wrong"}, 30_000, ErrorCode.MISCONFIGURED),
        ({"terminal_id": "251"}, 30_000, ErrorCode.NOT_REFUNDABLE),
        ({"refund_method": "CASH"}, 30_000, ErrorCode.NOT_REFUNDABLE),
    ],
)
def test_refusals_of_the_panel(terminal: ZarinpalHarness, changed: Any, rial: int, code: ErrorCode) -> None:
    account = terminal.account(**{"access_token": double.ACCESS_TOKEN, "terminal_id": double.TERMINAL_ID} | changed)
    gateway, request = ZarinpalGateway(account), asked()
    started = gateway.start(request)
    terminal.command("act", reference=started.reference, status="VERIFIED")
    with pytest.raises(RefundRefused) as refusal:
        gateway.refund(ref(request, started.reference), RefundRequest(uuid4(), rial, "IRR"))
    assert refusal.value.code is code
    assert double.ACCESS_TOKEN not in f"{refusal.value}{refusal.value.gateway_code}"


def test_nothing_is_given_back_for_a_payment_that_the_panel_does_not_show(with_panel: ZarinpalHarness) -> None:
    gateway, request = ZarinpalGateway(with_panel.with_panel()), asked()
    other = gateway.start(asked())
    with_panel.command("act", reference=other.reference, status="VERIFIED")
    with pytest.raises(RefundRefused):
        gateway.refund(ref(request, "S" + "9" * 35), RefundRequest(uuid4(), 30_000, "IRR"))


def test_no_card_and_no_hash_of_one_is_kept(terminal: ZarinpalHarness) -> None:
    payment = paid(terminal)
    kept = str([*GatewayCall.objects.values_list("excerpt", flat=True), Payment.objects.values().get()])
    assert "5995" in kept
    assert "502229" not in kept
    assert "0866A6EA" not in kept
    assert double.MERCHANT_ID not in kept
    assert payment.capture_id.isdigit()
