"""Orders' part of the timetable."""

from backend.core.schedule import Entry
from backend.orders.personal import forget_departed
from backend.orders.services import expire_unpaid_orders

EXPIRE_UNPAID_ORDERS = Entry("expire_unpaid_orders", "* * * * *", expire_unpaid_orders)
FORGET_DEPARTED = Entry("forget_departed", "9 4 * * *", forget_departed)
