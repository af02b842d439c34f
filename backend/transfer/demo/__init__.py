"""The demo shop: invented products in English and German, vendors, and people to sign in as."""

from backend.transfer.demo.catalog import fill_catalog
from backend.transfer.demo.people import invite_people
from backend.transfer.demo.pricing import PER_DOLLAR, price_abroad

__all__ = ["PER_DOLLAR", "fill_catalog", "invite_people", "price_abroad"]
