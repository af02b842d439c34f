"""Amounts and currencies as Stripe has them: not everywhere ISO's digits, and not every last digit."""

from backend.core.money import exponent

_NO_DIGITS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS "
    "INR ISK JMD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP "
    "SLE SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
CURRENCIES = frozenset(_CURRENCIES.split())
NO_DIGITS = frozenset(_NO_DIGITS.split())
THREE_DIGITS = frozenset({"KWD", "BHD", "JOD", "OMR", "TND"})
WHOLE_UNITS = frozenset({"ISK"})
"""Written with two digits that must be zero."""
UNCONFIRMED = frozenset({"BHD", "JOD", "OMR", "TND", "UGX"})
"""Taken only where STRIPE_EXTRA_CURRENCIES names them, after a test charge: documents differ about their digits."""


def digits(currency: str) -> int:
    if currency in NO_DIGITS:
        return 0
    return 3 if currency in THREE_DIGITS else 2


def to_stripe(amount: int, currency: str) -> int:
    """Our minor units to Stripe's. Raises ValueError for an amount that Stripe cannot take."""
    more = digits(currency) - exponent(currency)
    sent, rest = (amount * int(10**more), 0) if more >= 0 else divmod(amount, int(10**-more))
    if rest or sent % _step(currency):
        raise ValueError(f"{currency} is taken in larger steps only")
    return sent


def from_stripe(amount: object, currency: str) -> int:
    """Stripe's minor units to ours. Raises ValueError for what is no amount, or finer than ours."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise ValueError("not an amount")
    more = digits(currency) - exponent(currency)
    if more < 0:
        return amount * int(10**-more)
    ours, rest = divmod(amount, int(10**more))
    if rest:
        raise ValueError("not an amount of whole minor units")
    return ours


def _step(currency: str) -> int:
    if currency in WHOLE_UNITS:
        return 100
    return 10 if currency in THREE_DIGITS else 1
