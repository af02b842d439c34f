"""Whose machine an address names."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_of(address: str, *hosts: str) -> bool:
    """Whether it is one of these hosts, or a double on this machine. What cannot be read is neither."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    if host in (*hosts, "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
