"""Carts' part of the timetable."""

from backend.carts.services import delete_expired_carts
from backend.core.schedule import Entry

DELETE_EXPIRED_CARTS = Entry("delete_expired_carts", "41 * * * *", delete_expired_carts)
