"""The buyer as Paymob wants to hear of them."""

from backend.payments.gateways.base import StartRequest


def billing_data(request: StartRequest) -> dict[str, str]:
    """Every key is there; what is not known is NA."""
    buyer, bill = request.buyer, request.buyer.billing
    told = {
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "email": buyer.email,
        "phone_number": buyer.phone,
        "street": bill.line1,
        "building": bill.line2,
        "apartment": "",
        "floor": "",
        "city": bill.city,
        "state": bill.region,
        "country": bill.country,
        "postal_code": bill.postal_code,
    }
    return {name: " ".join(value.split())[:100] or "NA" for name, value in told.items()}
