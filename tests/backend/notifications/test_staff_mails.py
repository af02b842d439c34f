"""Staff hear of payments that need them: once each, by mail, whoever may not be reached."""

from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.mail import EmailMultiAlternatives

from backend.core.caller import Role
from backend.core.models import OutboxEvent
from backend.notifications.staff_mails import send_payment_notice, send_webhook_notice
from backend.payments.models import WebhookMessage
from backend.payments.services import note_dead_webhook
from tests.factories.accounts import make_user
from tests.factories.orders import make_order
from tests.factories.payments import deliver_all, press, start
from workers.routes import ROUTES

pytestmark = pytest.mark.django_db


def flagged() -> OutboxEvent:
    """The event of a payment that the gateway tells wrong."""
    payment = start(make_order(), scenario="WRONG_AMOUNT")
    press(payment)
    deliver_all(payment)
    return OutboxEvent.objects.get(topic="order.payment_flagged")


def tell(event: OutboxEvent) -> int:
    return send_payment_notice(event_id=event.event_id, order_id=UUID(event.key), sequence=event.data["sequence"])


def manager(email: str, **fields: Any) -> None:
    make_user(email, role=Role.ORDER_MANAGER, password=None, **fields)


def test_every_order_manager_is_told_once_with_a_link_into_the_admin(mailoutbox: list[Any], settings: Any) -> None:
    settings.PUBLIC_URL = "https://api.shop.example"
    manager("ada@shop.example")
    manager("bob@shop.example")
    manager("gone@shop.example", is_active=False)
    make_user("carl@shop.example", role=Role.SUPPORT, password=None)
    make_user("buyer@example.com", password=None)
    event = flagged()
    assert [tell(event) for _ in range(3)] == [2, 0, 0]
    assert sorted(mail.to[0] for mail in mailoutbox) == ["ada@shop.example", "bob@shop.example"]
    mail = mailoutbox[0]
    [(html, _)] = mail.alternatives
    for text in (mail.body, html):
        assert "https://api.shop.example/admin/payments/payment/?q=" in text
        assert "in place of" in text
    assert "needs you" in mail.subject


def test_the_addresses_of_the_settings_come_first(mailoutbox: list[Any], settings: Any) -> None:
    settings.STAFF_NOTICE_EMAILS = ["money@shop.example", "money@shop.example", "boss@shop.example"]
    manager("ada@shop.example")
    assert tell(flagged()) == 2
    assert [mail.to for mail in mailoutbox] == [["money@shop.example"], ["boss@shop.example"]]


def test_it_is_written_in_the_shops_language(mailoutbox: list[Any], settings: Any) -> None:
    settings.STAFF_NOTICE_EMAILS, settings.DEFAULT_LANGUAGE = ["money@shop.example"], "de"
    tell(flagged())
    assert "braucht dich" in mailoutbox[0].subject


def test_an_address_that_is_refused_keeps_no_mail_from_the_others(
    mailoutbox: list[Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STAFF_NOTICE_EMAILS = ["bad@shop.example", "good@shop.example"]
    event, send = flagged(), EmailMultiAlternatives.send

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.to == ["bad@shop.example"]:
            raise SMTPServerDisconnected("no")
        return send(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", refuse)
        for _ in range(2):
            with pytest.raises(OSError, match="no"):
                tell(event)
    assert [mail.to[0] for mail in mailoutbox] == ["good@shop.example"]
    assert tell(event) == 1
    assert [mail.to[0] for mail in mailoutbox] == ["good@shop.example", "bad@shop.example"]


def test_what_gateways_write_is_text_and_never_markup(mailoutbox: list[Any], settings: Any) -> None:
    settings.STAFF_NOTICE_EMAILS = ["money@shop.example"]
    event = flagged()
    order = make_order()
    order.events.create(
        sequence=99, type="PAYMENT_FLAGGED", message="<script>x</script>{number}\r\nBcc: a@b.example",
        status="PAID", payment_status="PAID", fulfillment_status="UNFULFILLED", occurred_at=event.created_at,
    )  # fmt: skip
    assert send_payment_notice(event_id=uuid4(), order_id=order.pk, sequence=99) == 1
    assert "<script>" not in mailoutbox[0].alternatives[0].content
    assert "\n" not in mailoutbox[0].subject


def test_an_event_that_is_not_there_tells_nobody(mailoutbox: list[Any]) -> None:
    assert send_payment_notice(event_id=uuid4(), order_id=uuid4(), sequence=1) == 0
    assert send_webhook_notice(event_id=uuid4(), message_id=1) == 0
    assert mailoutbox == []


def test_a_message_that_a_worker_gave_up_is_told_of_if_it_is_authentic(mailoutbox: list[Any], settings: Any) -> None:
    settings.STAFF_NOTICE_EMAILS = ["money@shop.example"]
    payment = start(make_order())
    press(payment)
    deliver_all(payment)
    for state, told in (("VERIFIED", 1), ("RECEIVED", 1), ("PROCESSED", 1)):
        WebhookMessage.objects.update(state=state)
        note_dead_webhook(WebhookMessage.objects.get().pk)
        events = OutboxEvent.objects.filter(topic="webhook.given_up")
        assert events.count() == told
    event = events.get()
    assert send_webhook_notice(event_id=event.event_id, message_id=int(event.key)) == 1
    assert "Sandbox" in mailoutbox[0].subject


def test_workers_hear_of_it() -> None:
    actors = [route.actor for topic in ("order.payment_flagged", "webhook.given_up") for route in ROUTES[topic]]
    assert actors == ["send_payment_notice", "send_webhook_notice"]
