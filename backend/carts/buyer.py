"""What a buyer tells of themselves, checked: for carts and for orders without one."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from backend.core import addresses
from backend.core.addresses import Address
from backend.core.errors import Invalid

MAX_EMAIL = 254
MAX_NOTE = 2000
MAX_PHONE = 32


def clean_email(value: str) -> str:
    """The address, trimmed; "" stands for none. Raises Invalid."""
    email = value.strip()
    if not email:
        return ""
    refusal = Invalid("This is not an email address.", field=["email"])
    # The validator admits control characters within quotes; a mail header must not.
    if len(email) > MAX_EMAIL or not email.isprintable():
        raise refusal
    try:
        validate_email(email)
    except ValidationError as error:
        raise refusal from error
    return email


def clean_phone(value: str) -> str:
    """Raises Invalid for what is too long or has control characters; which numbers exist is not ours to know."""
    phone = value.strip()
    if len(phone) > MAX_PHONE:
        raise Invalid(f"At most {MAX_PHONE} characters.", field=["phone"])
    if any(ord(character) < 32 or ord(character) == 127 for character in phone):
        raise Invalid("Control characters are not part of a phone number.", field=["phone"])
    return phone


def clean_note(value: str) -> str:
    """Free text with lines and tabs. Raises Invalid."""
    note = value.strip()
    if len(note) > MAX_NOTE:
        raise Invalid(f"At most {MAX_NOTE} characters.", field=["note"])
    if any(ord(character) < 32 and character not in "\n\r\t" for character in note):
        raise Invalid("Control characters are not part of a note.", field=["note"])
    return note


def clean_shipping(address: Address) -> Address:
    """Raises Required and Invalid naming every part at fault, also a country that the shop does not ship to."""
    shipping = addresses.clean(address, field="shippingAddress")
    if settings.COUNTRIES_OFFERED and shipping.country not in settings.COUNTRIES_OFFERED:
        raise Invalid("The shop does not ship to this country.", field=["shippingAddress", "country"])
    return shipping


def clean_billing(address: Address) -> Address:
    return addresses.clean(address, field="billingAddress")
