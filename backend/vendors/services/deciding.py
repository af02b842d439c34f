"""From the application to the shop's word on it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from backend.accounts.checking import clean_email
from backend.accounts.locking import lock_customer
from backend.core import outbox
from backend.core.caller import Caller
from backend.core.errors import DomainError, Invalid, NotFound, Required, refuse
from backend.core.plain_text import is_one_line
from backend.core.saving import KEEP, Keep, problems
from backend.vendors.access import DECIDE, OWNER, access_vendor_to_decide, access_vendor_to_edit, active_owners
from backend.vendors.models import Vendor, VendorMember, VendorStatus
from backend.vendors.services.roles import follow_members

MAX_DESCRIPTION = 5000


@dataclass(frozen=True, slots=True)
class Application:
    """Who wants to sell; `email` is where the shop reaches them."""

    name: str
    email: str
    description: str = ""


@transaction.atomic
def apply_as_vendor(*, caller: Caller, application: Application) -> Vendor:
    """Ask to sell in the shop; the caller becomes the vendor's owner. Emits `vendor.applied`.

    The same name again, while the first waits, is the same application. Raises everything that is at fault, or
    Invalid while another application of the caller waits.
    """
    if caller.user_id is None:
        raise NotFound
    given = _checked(application)
    lock_customer(caller.user_id)
    mine = Vendor.objects.filter(members__user_id=caller.user_id, members__role=OWNER, status=VendorStatus.PENDING)
    waiting = mine.first()
    if waiting is not None and waiting.name == given.name:
        return waiting
    if waiting is not None:
        raise Invalid(f"Your application as {waiting.name} waits for the shop's word: one at a time.", field=["name"])
    vendor = _create(given)
    VendorMember.objects.create(vendor=vendor, user_id=caller.user_id, role=OWNER)
    outbox.emit("vendor.applied", key=str(vendor.pk))
    return vendor


def approve_vendor(*, caller: Caller, vendor_id: int | None) -> Vendor:
    """Let a vendor sell, for the first time or again. Emits `vendor.approved`; approving twice changes nothing.

    Raises Invalid where nobody is left to answer for it.
    """
    with transaction.atomic():
        vendor = access_vendor_to_decide(caller=caller, vendor_id=vendor_id)
        if vendor.status == VendorStatus.APPROVED:
            return vendor
        if not active_owners(vendor.pk).exists():
            raise Invalid("Its owners have left or are closed: nobody would answer for what it sells.", field=["id"])
        decide(vendor, VendorStatus.APPROVED, "")
    follow_members(list(vendor.members.values_list("user_id", flat=True)))
    return vendor


@transaction.atomic
def suspend_vendor(*, caller: Caller, vendor_id: int | None, reason: str) -> Vendor:
    """Stop a vendor's selling at once, or turn an application down: every read of the storefront asks its status.

    Orders that were placed go on. Emits `vendor.suspended`; suspending twice changes nothing.
    """
    vendor = access_vendor_to_decide(caller=caller, vendor_id=vendor_id)
    words = reason.strip()
    if not words:
        raise Required("Say why: the vendor's people read it.", field=["reason"])
    refuse(_renamed(problems(Vendor, {"suspension_reason": words}), "reason"))
    if vendor.status != VendorStatus.SUSPENDED:
        decide(vendor, VendorStatus.SUSPENDED, words)
    return vendor


@transaction.atomic
def update_vendor(
    *,
    caller: Caller,
    vendor_id: int | None,
    name: str | Keep = KEEP,
    email: str | Keep = KEEP,
    description: str | Keep = KEEP,
) -> Vendor:
    """Change what a vendor says of itself; its slug stays, as addresses hold it. Raises everything that is at fault.

    An owner changes the name of what sells only while it waits: shoppers and the shop know an approved one by it.
    """
    vendor = access_vendor_to_edit(caller=caller, vendor_id=vendor_id)
    now = {"name": vendor.name, "email": vendor.email, "description": vendor.description}
    wanted = {"name": name, "email": email, "description": description}
    changed = {key: value for key, value in wanted.items() if not isinstance(value, Keep) and value != now[key]}
    if "name" in changed and vendor.status != VendorStatus.PENDING and not caller.may(DECIDE):
        raise Invalid("Ask the shop for another name: this one is known by now.", field=["name"])
    if not changed:
        return vendor
    checked = _checked(Application(**{**now, **changed}), but={"email"} - changed.keys())
    for key in changed:
        setattr(vendor, key, getattr(checked, key))
    vendor.save(update_fields=[*changed, "updated_at"])
    return vendor


def _create(given: Application) -> Vendor:
    """Two of one name may come at once: whoever is second takes the next slug."""
    while True:
        vendor = Vendor(name=given.name, email=given.email, description=given.description)
        vendor.slug = _free_slug(given.name)
        try:
            with transaction.atomic():
                vendor.save()
        except IntegrityError:
            continue
        return vendor


def decide(vendor: Vendor, status: VendorStatus, reason: str) -> None:
    """Write down where a vendor stands from now on; its row is locked."""
    vendor.status, vendor.suspension_reason = status, reason
    vendor.save(update_fields=["status", "suspension_reason", "updated_at"])
    outbox.emit(f"vendor.{status.lower()}", key=str(vendor.pk))


def _checked(application: Application, *, but: Collection[str] = ()) -> Application:
    """The application as it is kept; `but` names what is there already.

    Raises everything that is at fault, together.
    """
    name, description = " ".join(application.name.split()), application.description.strip()
    errors: list[DomainError] = []
    if not name:
        errors.append(Required("A name is needed.", field=["name"]))
    elif not is_one_line(name):
        errors.append(Invalid("Control characters cannot be part of a name.", field=["name"]))
    else:
        errors += problems(Vendor, {"name": name})
    if len(description) > MAX_DESCRIPTION:
        errors.append(Invalid(f"A description has at most {MAX_DESCRIPTION} characters.", field=["description"]))
    elif description:
        errors += problems(Vendor, {"description": description})
    email = application.email
    try:
        email = email if "email" in but else clean_email(email)
    except DomainError as error:
        errors.append(error)
    refuse(errors)
    return Application(name=name, email=email, description=description)


def _renamed(errors: list[DomainError], field: str) -> list[DomainError]:
    for error in errors:
        error.field = [field]
    return errors


def _free_slug(name: str) -> str:
    """A slug from the name; where it is taken, with a number behind it."""
    base = slugify(name)[:180] or "vendor"
    taken = set(Vendor.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
