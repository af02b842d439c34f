"""What the buyer's browser brings back from the payment page."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.orders import make_order
from tests.factories.payments import start
from tests.schema.documents import operation

pytestmark = pytest.mark.django_db

VERIFY = operation((Path(__file__).parent / "payment.graphql").read_text(encoding="utf-8"), "PaymentVerify")


def test_what_the_buyer_brings_back_is_what_the_api_takes(gql: Gql, client: Client) -> None:
    order = make_order()
    payment = start(order, return_url="http://storefront:3000/back?payment=mine")
    answer = client.post(f"/sandbox/pay/{payment.reference}/", {"button": "pay"})
    brought = parse_qs(urlsplit(answer["location"]).query)
    assert brought == {
        "payment": ["mine", encode("Payment", payment.pk)],
        "order": [encode("Order", order.pk)],
        "status": ["succeeded"],
    }
    sent = {"paymentId": brought["payment"][-1], "token": order.token}
    found = gql(VERIFY, **sent)["paymentVerify"]["payment"]
    assert (found["status"], found["order"]["id"]) == ("SUCCEEDED", brought["order"][0])
