"""The gateways of the shop: every module beside this one that `settings.GATEWAYS` has an account for."""

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module

from django.conf import settings

from backend.core.errors import DomainError
from backend.payments.gateways.accounts import DEFAULT, Account
from backend.payments.gateways.base import PaymentGateway


class GatewayNotOffered(DomainError):
    code = "GATEWAY_UNAVAILABLE"
    default_message = "This payment gateway is not offered."


def enabled() -> list[PaymentGateway]:
    """The gateways that this shop offers, one for each account. Play money never is one of them in production."""
    gateways = [_make(account) for accounts in settings.GATEWAYS.values() for account in accounts]
    return [each for each in gateways if not (settings.PRODUCTION and each.capabilities.play_money)]


def get(gateway_id: str, account: str = DEFAULT) -> PaymentGateway:
    """Raises GatewayNotOffered."""
    for gateway in enabled():
        if (gateway.id, gateway.account.name) == (gateway_id, account):
            return gateway
    raise GatewayNotOffered(field=["gateway"])


def offered(*, currency: str = "", country: str = "", amount: int = 0) -> dict[str, list[PaymentGateway]]:
    """Gateway id -> its accounts that take currency and amount and serve the country; what is empty is not asked."""
    found: dict[str, list[PaymentGateway]] = {}
    for gateway in enabled():
        if takes(gateway, currency=currency, country=country) and _fits(gateway, amount, currency):
            found.setdefault(gateway.id, []).append(gateway)
    return found


def name_of(gateway_id: str) -> str:
    """What buyers call it; its id where it is not offered any more."""
    return next((each.name for each in enabled() if each.id == gateway_id), gateway_id)


def choose(
    gateway_id: str, *, currency: str, country: str = "", amount: int = 0, vendors: Iterable[str] = ()
) -> PaymentGateway:
    """The account of a gateway for an order: one of its vendor's own before one for its currency before any other.

    Raises GatewayNotOffered, in words that say why.
    """
    accounts = [each for each in enabled() if each.id == gateway_id]
    if not accounts:
        raise GatewayNotOffered(field=["gateway"])
    name = accounts[0].name
    of_vendors = frozenset(vendors)
    fitting = [
        each for each in accounts if takes(each, currency=currency, country=country) and _serves(each, of_vendors)
    ]
    if not fitting:
        in_country = f" from {country}" if country and any(takes(each, currency=currency) for each in accounts) else ""
        raise GatewayNotOffered(f"{name} does not take {currency}{in_country}.", field=["gateway"])
    best = min(fitting, key=lambda each: (not each.account.vendors, not each.account.currencies))
    if not _fits(best, amount, currency):
        raise GatewayNotOffered(f"{name} does not take such an amount.", field=["gateway"])
    return best


def takes(gateway: PaymentGateway, *, currency: str = "", country: str = "") -> bool:
    """Whether the gateway and its account know the currency and serve the country; what is empty is not asked."""
    can, account = gateway.capabilities, gateway.account
    currencies_fit = not currency or _within(currency, can.currencies, account.currencies)
    return currencies_fit and (not country or _within(country, can.countries, account.countries))


def _within(code: str, of_gateway: frozenset[str] | None, of_account: frozenset[str]) -> bool:
    return (of_gateway is None or code in of_gateway) and (not of_account or code in of_account)


def _fits(gateway: PaymentGateway, amount: int, currency: str) -> bool:
    can = gateway.capabilities
    return not amount or can.minimum.get(currency, 0) <= amount <= can.maximum.get(currency, amount)


def _serves(gateway: PaymentGateway, vendors: frozenset[str]) -> bool:
    """A vendor's own account takes orders of that vendor alone."""
    own = gateway.account.vendors
    return not own or (bool(vendors) and vendors <= own)


@lru_cache(maxsize=100)
def _make(account: Account) -> PaymentGateway:
    """Once a process for each account: adapters keep their connections. Imported only when used: SDKs are heavy."""
    gateway: PaymentGateway = import_module(f"backend.payments.gateways.{account.gateway}").GATEWAY(account)
    return gateway
