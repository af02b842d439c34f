"""Why something about an account was refused."""

from backend.core.errors import DomainError


class InvalidCredentials(DomainError):
    """Never tells which of the two is wrong, nor whether there is such an account."""

    code = "INVALID_CREDENTIALS"
    default_message = "Login or password is wrong."


class PasswordChanged(InvalidCredentials):
    """Another hash is stored than the one that was compared with: perhaps but a better one of the same password."""


class SignInAgain(DomainError):
    """Whoever has somebody's unlocked telephone must not get all of their account by that alone."""

    code = "SIGN_IN_AGAIN"
    default_message = "Sign in again first, and then do this soon."


class LastWayIn(DomainError):
    code = "LAST_WAY_IN"
    default_message = "This is your last way to sign in: set a password first, or link another provider."


class TokenInvalid(DomainError):
    code = "TOKEN_INVALID"
    default_message = "This token is not good: it is not ours, was used, or was revoked."


class TokenExpired(DomainError):
    code = "TOKEN_EXPIRED"
    default_message = "This token's time is over."


class EmailTaken(DomainError):
    code = "EMAIL_TAKEN"
    default_message = "There is an account with this email address."


class PasswordTooWeak(DomainError):
    code = "PASSWORD_TOO_WEAK"
    default_message = "This password is too easy to guess."


class Forbidden(DomainError):
    code = "FORBIDDEN"
    default_message = "You may not do this."


NO_CHALLENGE = "There is no such challenge any more: begin again."


class CodeInvalid(DomainError):
    """Never tells whether it is wrong, was used, or whether anybody was sent one."""

    code = "CODE_INVALID"
    default_message = "This code is not right, or was used."


class EmailNotConfirmed(DomainError):
    code = "FORBIDDEN"
    default_message = "The provider has not verified an email address of yours: do that there first."


class NotTakenOver(DomainError):
    """Whoever has the address of an account with rights must not get the rights by that alone."""

    code = "ACCOUNT_PROTECTED"
    default_message = (
        "This account may do more than buy, and its email address was never confirmed: sign in with its password, open "
        "the link that confirms the address, and come again."
    )


class AccountClosed(DomainError):
    code = "FORBIDDEN"
    default_message = "This account is closed."


class ProviderUnavailable(DomainError):
    code = "PROVIDER_UNAVAILABLE"
    default_message = "The provider cannot be asked right now. Try again."
