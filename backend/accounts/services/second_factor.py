"""A second factor: an authenticator app, and recovery codes for when it is lost."""

import base64
import hashlib
import logging
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

from django.conf import settings
from django.db import transaction

from backend.accounts.errors import CodeInvalid
from backend.accounts.locking import lock_user
from backend.accounts.models import Authenticator, RecoveryCode, User
from backend.accounts.sealing import Unreadable, seal, unseal
from backend.accounts.services.credentials import check_recent
from backend.accounts.services.registration import MAIL
from backend.accounts.services.rights import rights_changed
from backend.accounts.services.signing_in import forget_challenges
from backend.accounts.throttles import FactorTry
from backend.core import clock, outbox
from backend.core.errors import Invalid

logger = logging.getLogger("cartograph.accounts")
KEY_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 random bits: a plain hash of them cannot be tried through, and needs no key that could be lost."""
MAX_CODE = 64


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What an authenticator app is to know: as text to type, and as an address to be shown as a QR code."""

    secret: str
    uri: str


@transaction.atomic
def enable_second_factor(*, user_id: int, session_id: UUID | None) -> Enrollment:
    """Make a new key for an app. It counts once `confirm_second_factor` has seen a code of it; until then the next
    call replaces it. Raises SignInAgain, or Invalid where there is a second factor already.
    """
    user = lock_user(user_id, no_key=True)
    check_recent(session_id=session_id)
    if Authenticator.objects.filter(user=user, confirmed=True).exists():
        raise Invalid("A second factor is enabled already: disable it before you enable another.")
    key = secrets.token_bytes(KEY_BYTES)
    fresh = {"sealed_key": seal(key), "last_step": -1, "created_at": clock.now(), "confirmed": False}
    Authenticator.objects.update_or_create(user=user, defaults=fresh)
    secret = base64.b32encode(key).decode()
    label = quote(f"{settings.SHOP_NAME}:{user.email}", safe="")
    parameters = {"secret": secret, "issuer": settings.SHOP_NAME, "algorithm": "SHA1", "digits": 6, "period": 30}
    return Enrollment(secret, f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}")


def confirm_second_factor(*, user_id: int, session_id: UUID | None, code: str, network: str) -> list[str]:
    """Enable the app whose code this is; returns recovery codes, which are readable nowhere else and never again.

    A stolen token alone must not keep the owner out: the session was begun a moment ago. Raises SignInAgain,
    CodeInvalid, TooManyAttempts, or Invalid where nothing waits for a confirmation.
    """
    attempt = FactorTry(user_id=user_id, network=network, enrolling=True)
    with transaction.atomic():
        lock_user(user_id, no_key=True)  # before the app, as whoever leaves does
        check_recent(session_id=session_id)
        app = Authenticator.objects.select_for_update().filter(user_id=user_id, confirmed=False).first()
        if app is None:
            raise Invalid("There is nothing to confirm: begin with twoFactorEnable.")
        if not _reads(app, _plain(code)):
            raise CodeInvalid(field=["code"])
        Authenticator.objects.filter(pk=app.pk).update(confirmed=True)
        texts = _new_recovery_codes(user_id)
        outbox.emit(MAIL, key=str(user_id), data={"kind": "second_factor_on"})
    attempt.succeeded()
    _tell_rights(user_id)
    return texts


def renew_recovery_codes(*, user_id: int, code: str, network: str) -> list[str]:
    """New recovery codes; the old ones open nothing any more. By a code of the app, or one of the old.

    Raises CodeInvalid, TooManyAttempts, or Invalid where there is no second factor.
    """
    attempt = FactorTry(user_id=user_id, network=network)
    with transaction.atomic():
        lock_user(user_id, no_key=True)
        if not Authenticator.objects.filter(user_id=user_id, confirmed=True).exists():
            raise Invalid("No second factor is enabled.")
        if not take_factor(user_id=user_id, code=code):
            raise CodeInvalid(field=["code"])
        texts = _new_recovery_codes(user_id)
        outbox.emit(MAIL, key=str(user_id), data={"kind": "recovery_codes_new"})
    attempt.succeeded()
    return texts


def disable_second_factor(*, user_id: int, code: str, network: str) -> User:
    """Go back to one factor, by a code of the app or a recovery code.

    Raises CodeInvalid, TooManyAttempts, or Invalid where there is no second factor.
    """
    attempt = FactorTry(user_id=user_id, network=network)
    with transaction.atomic():
        user = lock_user(user_id, no_key=True)
        if not Authenticator.objects.filter(user=user, confirmed=True).exists():
            raise Invalid("No second factor is enabled.")
        if not take_factor(user_id=user_id, code=code):
            raise CodeInvalid(field=["code"])
        _remove(user)
    attempt.succeeded()
    _tell_rights(user_id)
    return user


def remove_second_factor(*, user_id: int) -> None:
    """For staff, when somebody has lost both the app and the codes, and has shown otherwise who they are."""
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
        _remove(user)
    _tell_rights(user_id)


def reseal_second_factors() -> tuple[int, int]:
    """Seal every key with the newest SECRET_KEY; returns how many, and how many could not be read."""
    sealed = lost = 0
    for pk in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            app = Authenticator.objects.select_for_update().filter(pk=pk).first()
            try:
                key = unseal(app.sealed_key) if app is not None else b""
            except Unreadable:
                lost += 1
                continue
            sealed += Authenticator.objects.filter(pk=pk).update(sealed_key=seal(key))
    return sealed, lost


def take_factor(*, user_id: int, code: str) -> bool:
    """Whether this is a good code of the app or a recovery code; then it is used up. Within a transaction."""
    plain = _plain(code)
    app = Authenticator.objects.select_for_update().filter(user_id=user_id, confirmed=True).first()
    if app is None:
        return False
    if _reads(app, plain):
        return True
    used, _ = RecoveryCode.objects.filter(user_id=user_id, hash=_hash(plain)).delete()
    if used:
        outbox.emit(MAIL, key=str(user_id), data={"kind": "recovery_code_used"})
    return bool(used)


def _reads(app: Authenticator, plain: str) -> bool:
    try:
        return app.verify_token(plain)
    except Unreadable:
        logger.error("An authenticator was sealed with a SECRET_KEY that is gone: its owner needs a recovery code.")
        return False


def forget_second_factor(user: User) -> None:
    """Leave nothing of it, nor of what was begun with it. The user's row is locked."""
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    forget_challenges(user)


def _remove(user: User) -> None:
    forget_second_factor(user)
    outbox.emit(MAIL, key=str(user.pk), data={"kind": "second_factor_off"})


def _new_recovery_codes(user_id: int) -> list[str]:
    plain = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user_id=user_id, hash=_hash(each)) for each in plain])
    return ["-".join(each[at : at + 4] for at in range(0, len(each), 4)) for each in plain]


def _plain(code: str) -> str:
    """A code as it is compared: apps show codes with spaces, and people type small letters."""
    return "" if len(code) > MAX_CODE else code.replace(" ", "").replace("-", "").upper()


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()


def _tell_rights(user_id: int) -> None:
    """What somebody may do hangs on their second factor only where a role asks for one."""
    if settings.SECOND_FACTOR_ROLES:
        rights_changed([user_id])
