"""What the payments' actors make of money that is being moved already."""

from typing import Any

import pytest
from dramatiq.errors import Retry

from backend.payments import services
from workers.actors import payments

SOME_ID = "7bf2466d-95f3-486e-9db2-b80cfc90d5c6"


@pytest.mark.parametrize(
    ("service", "actor", "key"),
    [
        ("process_webhook", payments.process_webhook, "1"),
        ("verify_returned", payments.verify_returned, SOME_ID),
        ("execute_refund", payments.execute_refund, SOME_ID),
    ],
)
def test_that_another_process_moves_the_money_now_is_a_reason_to_wait_and_no_error(
    monkeypatch: pytest.MonkeyPatch, service: str, actor: Any, key: str
) -> None:
    def busy(*args: Any) -> None:
        raise services.CallRunning(None)

    monkeypatch.setattr(services, service, busy)
    with pytest.raises(Retry):
        actor.fn("event", key, {})
