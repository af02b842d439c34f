"""Payments' part of the timetable."""

from backend.core.schedule import Entry
from backend.payments.services import verify_silent_payments

VERIFY_SILENT_PAYMENTS = Entry("verify_silent_payments", "* * * * *", verify_silent_payments)
