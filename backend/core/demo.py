"""The people of the demo shop, created by `manage.py seed` and printed by `make run`."""

from typing import NamedTuple


class DemoUser(NamedTuple):
    email: str
    password: str
    role: str


DEMO_PASSWORD = "cartograph-demo"
DEMO_USERS = [
    DemoUser("customer@example.com", DEMO_PASSWORD, "customer"),
    DemoUser("vendor@example.com", DEMO_PASSWORD, "vendor"),
    DemoUser("products@example.com", DEMO_PASSWORD, "product manager"),
    DemoUser("orders@example.com", DEMO_PASSWORD, "order manager"),
    DemoUser("support@example.com", DEMO_PASSWORD, "support"),
    DemoUser("admin@example.com", DEMO_PASSWORD, "admin"),
]
