"""How often people may try. Counted by account and address together, so that a stranger locks nobody out."""

from functools import lru_cache

from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from backend.core.throttle import Throttle

KNOWN_DAYS = 90
BURST = "100/minute"


@lru_cache(maxsize=64)
def throttle(name: str, windows: str) -> Throttle:
    return Throttle(name, windows)


class SignInTry:
    """One try to sign in, from before the password is looked at.

    Wrong passwords for one account from one address slow down soon, tries from one address later, and those for one
    account from everywhere last: a net of many addresses guesses no faster than that. Addresses that the owner has
    signed in from are not counted with the strangers. A burst of wrong ones that come all at once, before any is known
    to be wrong, has a bound of its own.
    """

    def __init__(self, *, account: str, network: str) -> None:
        self._known_key = f"cartograph:known-networks:{account}"
        self._wrong = throttle("login", settings.LOGIN_TRIES), (account, network)
        self._network = network
        self._taken: list[tuple[Throttle, tuple[str, ...]]] = []
        self._wrong[0].check(account, network)
        self._take(throttle("login-burst", BURST), account, network)
        self._take(throttle("login-network", settings.LOGIN_TRIES_PER_ADDRESS), network)
        if not self._is_known():
            self._take(throttle("login-account", settings.LOGIN_TRIES_PER_ACCOUNT), account)

    def failed(self) -> None:
        each, subject = self._wrong
        each.count(*subject)

    def succeeded(self) -> None:
        """Give the tries back, forget the wrong ones, and remember where the owner is."""
        each, subject = self._wrong
        each.clear(*subject)
        for taken, of in self._taken:
            taken.give_back(*of)
        try:
            redis = get_redis_connection("default", write=True)
            redis.sadd(self._known_key, self._network)
            redis.expire(self._known_key, KNOWN_DAYS * 24 * 60 * 60)
        except (RedisError, OSError):
            return

    def _take(self, each: Throttle, *subject: str) -> None:
        each.take(*subject)
        self._taken.append((each, subject))

    def _is_known(self) -> bool:
        try:
            return bool(get_redis_connection("default").sismember(self._known_key, self._network))
        except (RedisError, OSError):
            return False


class FactorTry:
    """One try of a second factor, by whoever knows the first: counted before it is known to be wrong.

    Tries to enable one are counted by themselves: whoever mistypes there keeps nobody from signing in.
    """

    def __init__(self, *, user_id: int, network: str, enrolling: bool = False) -> None:
        self._taken: list[tuple[Throttle, tuple[object, ...]]] = []
        name = "enrol" if enrolling else "factor"
        here = throttle(name, settings.SECOND_FACTOR_TRIES), (user_id, network)
        anywhere = throttle(f"{name}-account", settings.SECOND_FACTOR_TRIES_PER_ACCOUNT), (user_id,)
        for each, subject in (here, anywhere):
            each.take(*subject)
            self._taken.append((each, subject))

    def succeeded(self) -> None:
        for each, subject in self._taken:
            each.give_back(*subject)


def take_code_request(destination: str, network: str) -> None:
    """Somebody asks for a code to a destination that may be anybody's. Raises TooManyAttempts.

    Least for one destination from one address: a stranger elsewhere keeps nobody from getting their own.
    """
    subject = destination.lower()
    throttle("code", settings.CODES_PER_DESTINATION).take(subject, network)
    throttle("code-network", settings.CODES_PER_ADDRESS).take(network)
    throttle("code-destination", settings.CODES_PER_DESTINATION_OVERALL).take(subject)


def take_password_try(user_id: int) -> None:
    """Somebody signed in is asked for their password again. Raises TooManyAttempts."""
    throttle("password", settings.LOGIN_TRIES).take(user_id)


def give_password_try_back(user_id: int) -> None:
    throttle("password", settings.LOGIN_TRIES).give_back(user_id)


def take_registration(network: str) -> None:
    throttle("register", settings.REGISTRATIONS_PER_ADDRESS).take(network)


def take_social_start(network: str) -> None:
    """Somebody begins to sign in with a provider. Raises TooManyAttempts."""
    throttle("social", settings.SOCIAL_STARTS_PER_ADDRESS).take(network)


def take_mail_request(network: str) -> None:
    """Somebody asks for a mail to an address that may be anybody's. Raises TooManyAttempts."""
    throttle("mail-network", settings.MAILS_PER_ADDRESS).take(network)


def may_invite(email: str) -> bool:
    """Whether one more invitation may go to an address, whoever sends it."""
    return throttle("mail-invitation", settings.MAILS_PER_ACCOUNT).allows(email.lower())


def may_mail(user_id: int, kind: str) -> bool:
    """Whether one more mail of this kind may go to an account: nobody's mailbox is flooded."""
    return throttle("mail-account", settings.MAILS_PER_ACCOUNT).allows(kind, user_id)
