"""Orders' part of the timetable."""

from backend.core.schedule import Entry
from backend.orders.services import expire_unpaid_orders

EXPIRE_UNPAID_ORDERS = Entry("expire_unpaid_orders", "* * * * *", expire_unpaid_orders)
