"""The demo shop: invented products in English and German, vendors, and people to sign in as."""

from backend.transfer.demo.catalog import fill_catalog
from backend.transfer.demo.people import invite_people

__all__ = ["fill_catalog", "invite_people"]
