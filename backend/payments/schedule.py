"""Payments' part of the timetable."""

from backend.core.schedule import Entry
from backend.payments.services import (
    delete_rejected_messages,
    retry_silent_refunds,
    verify_silent_payments,
    verify_unclaimed_payments,
)


def ask_about_silence() -> int:
    """Refunds first: what is owed waits for nobody's answer."""
    return retry_silent_refunds() + verify_silent_payments()


VERIFY_SILENT_PAYMENTS = Entry("verify_silent_payments", "* * * * *", ask_about_silence)
VERIFY_UNCLAIMED_PAYMENTS = Entry("verify_unclaimed_payments", "*/5 * * * *", verify_unclaimed_payments)
DELETE_REJECTED_MESSAGES = Entry("delete_rejected_messages", "7 3 * * *", delete_rejected_messages)
