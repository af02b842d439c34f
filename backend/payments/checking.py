"""Whether a gateway's account works: a harmless round trip for `manage.py gateway_check`.

Everybody is asked what they know of the account. With test credentials a payment is begun as a buyer's would be,
looked at and ended again; nobody is sent to its page, so no money moves.
"""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import cast
from uuid import uuid4

import httpx
from django.conf import settings

from backend.core import clock
from backend.core.errors import Invalid
from backend.core.money import Money, exponent
from backend.payments.gateways.base import (
    Buyer,
    ChargeReport,
    ErrorCode,
    GatewayRefused,
    GatewayUnavailable,
    Line,
    PaymentGateway,
    PaymentRef,
    PostalAddress,
    StartRequest,
)
from backend.payments.gateways.optional import ChecksItself, Finding, Verdict
from backend.payments.gateways.registry import takes
from backend.payments.services.describing import webhook_url

TOLERATED_S = 60
"""Signatures hold for five minutes: clocks must not differ by much."""
MAJOR_UNITS = 1000
"""Above every gateway's least amount, and below the most."""
COUNTRIES = {"BDT": "BD", "EGP": "EG", "IRR": "IR", "EUR": "DE"}


class LiveKeys(Invalid):
    default_message = "These credentials move real money. --live asks all the same, and begins no payment."


def check_gateway(gateway: PaymentGateway, *, live: bool = False) -> Iterator[Finding]:
    """What was found, one after the other. Asks the gateway: no transaction. Raises LiveKeys, before anybody is asked.

    Live credentials are asked about only when `live` allows it; no payment is begun with them.
    """
    own = cast(ChecksItself, gateway) if gateway.capabilities.checks else None
    real = own is None or own.is_live()
    if real and not live:
        raise LiveKeys
    return _check(gateway, own, real)


def _check(gateway: PaymentGateway, own: ChecksItself | None, real: bool) -> Iterator[Finding]:
    yield Finding("mode", "live: real money" if real else "test: no money moves")
    yield from _messages(gateway)
    currencies = [each for each in settings.CURRENCIES_OFFERED if takes(gateway, currency=each)]
    yield _currencies(gateway, currencies)
    reached = list(_reach(gateway))
    yield from reached
    if any(each.verdict is Verdict.BAD for each in reached):
        return
    try:
        if own is not None:
            yield from own.check()
        if not real:
            yield from _round_trip(gateway, currencies or sorted(gateway.capabilities.currencies or []))
    except GatewayUnavailable as error:
        yield Finding("answer", str(error), Verdict.BAD)
    except GatewayRefused as error:
        at_fault = "credentials" if error.code is ErrorCode.MISCONFIGURED else "request"
        yield Finding(at_fault, f"{error} {error.code.value}: {error.gateway_code or 'no reason'}", Verdict.BAD)


def _messages(gateway: PaymentGateway) -> Iterator[Finding]:
    if not gateway.capabilities.webhooks:
        return
    address = webhook_url(gateway.id, gateway.account.name)
    good = address.startswith("https://") or gateway.capabilities.play_money
    said = address if good else f"{address}: no gateway outside can reach it. Set PUBLIC_URL."
    yield Finding("webhook address", said, Verdict.GOOD if good else Verdict.DOUBTED)


def _currencies(gateway: PaymentGateway, taken: list[str]) -> Finding:
    if taken:
        return Finding("currency", f"Of what the shop offers it takes {', '.join(taken)}.")
    known = ", ".join(sorted(gateway.capabilities.currencies or [])[:10])
    return Finding("currency", f"It takes nothing that the shop offers (CURRENCIES_OFFERED): {known}.", Verdict.DOUBTED)


def _reach(gateway: PaymentGateway) -> Iterator[Finding]:
    """Whether anybody is there, and what time they have. Nothing of the account is sent."""
    address = dict(gateway.account.values).get("api_url")
    if address is None:
        yield Finding("reachability", "It lives in the shop itself.")
        return
    begun = monotonic()
    try:
        answer = httpx.head(address, timeout=float(gateway.account["timeout_s"]), follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Finding("reachability", f"{address}: {type(error).__name__}", Verdict.BAD)
        return
    yield Finding("reachability", f"{address} answered in {(monotonic() - begun) * 1000:.0f} ms.")
    told = _moment(answer.headers)
    if told is None:
        yield Finding("clock", "The gateway tells no time to compare ours with.", Verdict.DOUBTED)
        return
    ahead = round((clock.now() - told).total_seconds())
    verdict = Verdict.GOOD if abs(ahead) <= TOLERATED_S else Verdict.BAD
    yield Finding("clock", f"Ours is {abs(ahead)} s {'behind' if ahead < 0 else 'ahead'}.", verdict)


def _moment(headers: httpx.Headers) -> datetime | None:
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return told if told.tzinfo else None


def _round_trip(gateway: PaymentGateway, currencies: list[str]) -> Iterator[Finding]:
    """A payment begun, looked at and ended."""
    request = _request(gateway, currencies[0] if currencies else settings.DEFAULT_CURRENCY)
    asked = Money(request.amount, request.currency)
    started = gateway.start(request)
    yield Finding("start", f"A payment of {asked.amount} {asked.currency} begins.")
    payment = PaymentRef(
        payment_id=request.payment_id,
        reference=started.reference,
        amount=request.amount,
        currency=request.currency,
        capture_id=started.reference,
        created_at=request.created_at,
        data=started.data,
    )
    yield _told(gateway.verify(payment), asked)
    if gateway.capabilities.cancel:
        yield _cancelled(gateway, payment)


def _request(gateway: PaymentGateway, currency: str) -> StartRequest:
    can, moment, payment_id = gateway.capabilities, clock.now(), uuid4()
    amount = max(MAJOR_UNITS * 10 ** exponent(currency), can.minimum.get(currency, 0))
    address = PostalAddress(
        line1="1 Test Street", city="Testville", postal_code="10115", country=COUNTRIES.get(currency, "US")
    )
    return StartRequest(
        payment_id=payment_id,
        order_number="CHECK",
        amount=min(amount, can.maximum.get(currency, amount)),
        currency=currency,
        return_url=settings.PUBLIC_URL,
        callback_url=f"{settings.PUBLIC_URL}/payments/return/{gateway.id}/{payment_id}/",
        webhook_url=webhook_url(gateway.id, gateway.account.name),
        description=f"{settings.SHOP_NAME} checks its account",
        buyer=Buyer(
            email="check@example.com", first_name="Test", last_name="Buyer", phone="01711111111", billing=address
        ),
        lines=(Line(name="Nothing", sku="CHECK", quantity=1, total=amount),),
        created_at=moment,
    )


def _told(report: ChargeReport | None, asked: Money) -> Finding:
    if report is None:
        return Finding("question", "The gateway does not know the payment that it has begun.", Verdict.BAD)
    told = Money(report.amount, report.currency)
    if told != asked:
        said = f"The gateway tells of {told.amount} {told.currency} in place of {asked.amount} {asked.currency}."
        return Finding("question", said, Verdict.BAD)
    return Finding("question", f"It tells of the same amount: {report.state.value}.")


def _cancelled(gateway: PaymentGateway, payment: PaymentRef) -> Finding:
    """Some gateways end only what was set aside: what nobody pays lapses there."""
    try:
        return Finding("cancel", f"It is ended: {gateway.cancel(payment).state.value}.")
    except GatewayRefused:
        return Finding("cancel", "Nobody paid it, so it lapses by itself.")
