"""The words of mails to staff, by language and kind. {number}, {message} and {gateway} are filled in."""

from backend.notifications.account_texts import Words

STAFF_TEXTS: dict[str, dict[str, Words]] = {
    "en": {
        "payment_notice": Words(
            "A payment of order {number} needs you",
            "{message}",
            "See the payment",
            "Its time line shows every call and message, and what there is to decide.",
        ),
        "webhook_notice": Words(
            "A message of {gateway} could not be settled",
            "It is authentic, and eight tries have failed. The payment is asked about by the timetable all the same.",
            "See the messages",
            "Once the reason is gone, let it be settled once more: the action of that list.",
        ),
    },
    "de": {
        "payment_notice": Words(
            "Eine Zahlung zur Bestellung {number} braucht dich",
            "{message}",
            "Zahlung ansehen",
            "Ihr Verlauf zeigt jeden Aufruf und jede Nachricht, und was zu entscheiden ist.",
        ),
        "webhook_notice": Words(
            "Eine Nachricht von {gateway} ließ sich nicht verarbeiten",
            "Sie ist echt, und acht Versuche sind gescheitert. Nach der Zahlung wird trotzdem regelmäßig gefragt.",
            "Nachrichten ansehen",
            "Ist der Grund behoben, lass sie noch einmal verarbeiten: die Aktion in der Liste.",
        ),
    },
}
