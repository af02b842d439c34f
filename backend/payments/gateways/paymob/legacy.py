"""Paymob's old way to begin, for accounts that have nothing else: token, order, payment key, and a page in a frame.

Messages and browsers then go to the addresses of the integration in the dashboard: Paymob ignores ours.
"""

from typing import Any

from backend.payments.gateways.accounts import Account
from backend.payments.gateways.base import ErrorCode, GatewayRefused, GatewayUnavailable, Started, StartRequest
from backend.payments.gateways.paymob.door import PaymobDoor, refusal
from backend.payments.gateways.paymob.sending import billing_data


def start_by_iframe(
    door: PaymobDoor, account: Account, request: StartRequest, cents: int, reference: str, integration: int | str
) -> Started:
    token = door.token()
    about = {"auth_token": token, "amount_cents": cents, "currency": request.currency}
    order = {"delivery_needed": "false", "merchant_order_id": reference, "items": []}
    order_id = _begin(door, "/api/ecommerce/orders", about | order, "id")
    key = {
        "expiration": int(account["expiration_s"]),
        "order_id": int(order_id),
        "billing_data": billing_data(request),
        "integration_id": integration,
        "lock_order_when_paid": "true",
    }
    payment_token = _begin(door, "/api/acceptance/payment_keys", about | key, "token")
    frame = f"{account['api_url'].rstrip('/')}/api/acceptance/iframes/{account['iframe_id']}"
    return Started(
        reference=order_id, next_action={"type": "REDIRECT", "url": f"{frame}?payment_token={payment_token}"}
    )


def _begin(door: PaymobDoor, path: str, sent: dict[str, Any], wanted: str) -> str:
    answer = door.post(path, sent)
    told = door.json(answer)
    if answer.status_code >= 400:
        code, own = refusal(answer, told)
        raise GatewayRefused("Paymob refused to begin.", code=code, gateway_code=own)
    value = told.get(wanted)
    if isinstance(value, bool) or not isinstance(value, int | str) or not value:
        raise GatewayUnavailable("paymob began nothing")
    if wanted == "id" and not str(value).isdigit():
        raise GatewayRefused("Paymob gave no order.", code=ErrorCode.INVALID_REQUEST)
    return str(value)
