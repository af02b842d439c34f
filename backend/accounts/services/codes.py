"""Codes that are sent, and the answers to challenges."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from backend.accounts import checking
from backend.accounts.errors import NO_CHALLENGE, CodeInvalid, TokenExpired
from backend.accounts.models import Challenge, ChallengeKind, User
from backend.accounts.services.credentials import check_recent
from backend.accounts.services.registration import MAIL
from backend.accounts.services.second_factor import take_factor
from backend.accounts.services.sessions import Tokens, open_session
from backend.accounts.services.signing_in import complete_sign_in, new_challenge
from backend.accounts.throttles import FactorTry, take_code_request
from backend.core import clock, outbox
from backend.core.errors import Invalid, Required
from backend.core.postal import fit_phone
from backend.core.throttle import TooManyAttempts

CODE_DUE = "code.requested"
MAX_CODE = 64
MAX_DESTINATION = 50


@dataclass(frozen=True, slots=True)
class Answered:
    """What a right answer brought: tokens, or the next challenge; and the guest's cart that was named at first."""

    outcome: Tokens | Challenge
    cart_id: str


@dataclass(frozen=True, slots=True)
class Sending:
    """A code to be sent. It stands nowhere else."""

    user: User
    destination: str
    code: str

    @property
    def by_sms(self) -> bool:
        return "@" not in self.destination


def request_code(*, destination: str, country: str, network: str, cart_id: str | None = None) -> Challenge:
    """Have a worker send a code to whoever has this email address or phone number, if anybody has.

    Here they are not even looked for: the answer and its time are the same for everybody. Raises Required, Invalid for
    what is no destination, or TooManyAttempts.
    """
    destination = _clean_destination(destination, country)
    take_code_request(destination, network)
    with transaction.atomic():
        challenge = new_challenge(ChallengeKind.OTP, destination=destination, cart_id=cart_id)
        outbox.emit(CODE_DUE, key=challenge.pk)
    return challenge


def request_phone_code(*, user_id: int, session_id: UUID | None, network: str) -> Challenge:
    """Have a worker send a code to the number of somebody's profile, to show that it is theirs.

    Codes sent there will open the account: the session was begun a moment ago. Raises SignInAgain, Required where there
    is no number, Invalid, or TooManyAttempts.
    """
    user = User.objects.get(pk=user_id)
    check_recent(session_id=session_id)
    if not user.phone:
        raise Required("There is no phone number in your profile.")
    _refuse_without_sms([])
    take_code_request(user.phone, network)
    with transaction.atomic():
        challenge = new_challenge(ChallengeKind.PHONE, user=user, destination=user.phone)
        outbox.emit(CODE_DUE, key=challenge.pk)
    return challenge


def make_code(*, challenge_id: UUID) -> Sending | None:
    """A new code for a challenge, in place of an earlier one; None where nobody is to get one. For workers."""
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update(of=("self",)).filter(pk=challenge_id, used_at=None).first()
        if challenge is None or challenge.expires_at <= clock.now():
            return None
        user = _owner(challenge)
        if user is None:
            return None
        code = f"{secrets.randbelow(10**6):06d}"
        challenge.user, challenge.code_hash = user, _hash(challenge, code)
        challenge.save(update_fields=["user", "code_hash"])
        return Sending(user, challenge.destination, code)


def answer_challenge(*, challenge_id: UUID, code: str, network: str, user_agent: str = "") -> Answered:
    """Sign in by a code. A wrong one counts; the right one is taken once, however many come at once.

    Raises CodeInvalid, TokenExpired, or TooManyAttempts.
    """
    with transaction.atomic():
        challenge = _open(challenge_id, ChallengeKind.OTP, ChallengeKind.TOTP)
        by_app = challenge.kind == ChallengeKind.TOTP
        attempt = FactorTry(user_id=challenge.user_id or 0, network=network) if by_app else None
        right = _answer(challenge, code)
        if right and challenge.user is not None:
            sign_in = open_session if by_app else partial(complete_sign_in, cart_id=challenge.cart_id)
            answered = Answered(sign_in(user=challenge.user, user_agent=user_agent), challenge.cart_id)
    if not right:
        raise CodeInvalid(field=["code"])
    if attempt is not None:
        attempt.succeeded()
    return answered


def verify_phone(*, user_id: int, session_id: UUID | None, challenge_id: UUID, code: str) -> User:
    """Believe that the number of a profile is its owner's. Whoever had shown the same before has it no longer.

    The owner is told by mail: from now on it opens the account. Raises SignInAgain, CodeInvalid, TokenExpired, or
    TooManyAttempts.
    """
    with transaction.atomic():
        _one_at_a_time(challenge_id)
        challenge = _open(challenge_id, ChallengeKind.PHONE, user_id=user_id)
        check_recent(session_id=session_id)
        right = _answer(challenge, code)
        user = User.objects.get(pk=user_id)
        if right:
            others = User.objects.filter(phone=user.phone, phone_verified_at__isnull=False).exclude(pk=user.pk)
            others.update(phone_verified_at=None)
            user.phone_verified_at = clock.now()
            user.save(update_fields=["phone_verified_at"])
            outbox.emit(MAIL, key=str(user.pk), data={"kind": "phone_added"})
    if not right:
        raise CodeInvalid(field=["code"])
    return user


def _one_at_a_time(challenge_id: UUID) -> None:
    """Let one person at a time show that a number is theirs: each would wait for rows that the others have locked."""
    numbers = Challenge.objects.filter(pk=challenge_id).values_list("destination", flat=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"phone {numbers.first()}"])


def delete_old_challenges() -> int:
    """Forget challenges whose time was over a day ago."""
    deleted, _ = Challenge.objects.filter(expires_at__lt=clock.now() - timedelta(days=1)).delete()
    return deleted


def _open(challenge_id: UUID, *kinds: ChallengeKind, user_id: int | None = None) -> Challenge:
    """A challenge that can be answered, locked; its user too, and before it, as whoever changes a password does.

    The same statements run whether a code was sent to anybody or not.
    """
    mine = Q() if user_id is None else Q(user_id=user_id)
    found = Challenge.objects.filter(mine, pk=challenge_id, kind__in=kinds)
    whose = found.values_list("user_id", flat=True).first()
    User.objects.select_for_update(of=("self",), no_key=True).filter(pk=whose or 0).first()
    challenge = found.select_for_update(of=("self",)).select_related("user").first()
    if challenge is None or challenge.used_at is not None:
        raise CodeInvalid(NO_CHALLENGE, field=["challengeId"])
    if challenge.expires_at <= clock.now():
        raise TokenExpired("The time for this challenge is over: begin again.", field=["challengeId"])
    if challenge.tries >= settings.CODE_TRIES:
        raise TooManyAttempts("This challenge was answered wrongly too often: begin again.", field=["challengeId"])
    return challenge


def _answer(challenge: Challenge, code: str) -> bool:
    """Whether the code is right; then the challenge is used, else a try is. The challenge is locked."""
    if challenge.kind == ChallengeKind.TOTP:
        user = challenge.user
        right = user is not None and user.is_active and take_factor(user_id=user.pk, code=code)
    else:
        given = code.replace(" ", "") if len(code) <= MAX_CODE else ""
        same = constant_time_compare(_hash(challenge, given), challenge.code_hash)
        right = same and _owner(challenge) is not None
    if right:
        challenge.used_at = clock.now()
        challenge.code_hash = ""
    else:
        challenge.tries += 1
    challenge.save(update_fields=["used_at", "code_hash", "tries"])
    return right


def _owner(challenge: Challenge) -> User | None:
    """Whose destination it is now: of an address that was verified, or of a number that was. In any case one person."""
    active = User.objects.filter(is_active=True)
    if challenge.kind == ChallengeKind.PHONE:
        return active.filter(pk=challenge.user_id or 0, phone=challenge.destination).first()
    mine = Q() if challenge.user_id is None else Q(pk=challenge.user_id)
    if "@" in challenge.destination:
        with_address = User.objects.with_login(challenge.destination)
        return with_address.filter(mine, is_active=True, email_verified_at__isnull=False).first()
    return active.filter(mine, phone=challenge.destination, phone_verified_at__isnull=False).first()


def _clean_destination(text: str, country: str) -> str:
    if "@" in text:
        return checking.clean_email(text, field="destination")
    if not text.strip():
        raise Required("Send an email address or a phone number.", field=["destination"])
    phone = fit_phone(text, country) if len(text) <= MAX_DESTINATION else None
    if phone is None:
        message = "This is neither an email address nor a phone number; begin that with + and its country."
        raise Invalid(message, field=["destination"])
    _refuse_without_sms(["destination"])
    return phone


def _refuse_without_sms(field: list[str]) -> None:
    if not settings.SMS_SENDER:
        raise Invalid("This shop sends no text messages.", field=field)


def _hash(challenge: Challenge, code: str) -> str:
    """With a key that is in no database: a million codes are tried through at once by whoever has only that."""
    return salted_hmac(f"cartograph.code.{challenge.pk}", code, algorithm="sha256").hexdigest()
