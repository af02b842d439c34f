"""The words of emails, by language."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "subject": "Your order {number} at {shop}",
        "title": "Thank you for your order",
        "intro": "We have received your payment and are getting your order ready.",
        "order": "Order",
        "item": "Item",
        "quantity": "Quantity",
        "amount": "Amount",
        "subtotal": "Subtotal",
        "shipping": "Delivery",
        "total": "Total",
        "address": "It goes to",
        "link": "See your order",
    },
    "de": {
        "subject": "Deine Bestellung {number} bei {shop}",
        "title": "Danke für deine Bestellung",
        "intro": "Deine Zahlung ist eingegangen, und wir bereiten deine Bestellung vor.",
        "order": "Bestellung",
        "item": "Artikel",
        "quantity": "Menge",
        "amount": "Betrag",
        "subtotal": "Zwischensumme",
        "shipping": "Lieferung",
        "total": "Gesamt",
        "address": "Sie geht an",
        "link": "Bestellung ansehen",
    },
}
