"""Failures as clients see them: `userErrors` for what a form can mend, coded top-level errors for the rest."""

import logging
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any
from uuid import uuid4

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from backend.core.errors import DomainError, NotFound

logger = logging.getLogger("cartograph.graphql")


def _value(name: str, description: str) -> Any:
    return strawberry.enum_value(name, description=description)


@strawberry.enum(description="Why a mutation was refused. New codes may be added; treat unknown ones as INVALID.")
class UserErrorCode(Enum):
    NOT_FOUND = _value("NOT_FOUND", "There is no such thing, or it is not yours.")
    INVALID = _value("INVALID", "The value cannot be used; the message says why.")
    REQUIRED = _value("REQUIRED", "The value is missing.")
    FORBIDDEN = _value("FORBIDDEN", "You may not do this.")
    OUT_OF_STOCK = _value("OUT_OF_STOCK", "There are fewer units than asked for.")
    QUANTITY_LIMIT = _value("QUANTITY_LIMIT", "More units than one order may have.")
    NOT_PURCHASABLE = _value("NOT_PURCHASABLE", "The variant cannot be bought, or not in this currency.")
    PRICE_CHANGED = _value("PRICE_CHANGED", "The total differs from the one that you expected.")
    CURRENCY_MISMATCH = _value("CURRENCY_MISMATCH", "The amount or cart is in another currency.")
    COUPON_INVALID = _value("COUPON_INVALID", "There is no such coupon.")
    COUPON_EXPIRED = _value("COUPON_EXPIRED", "The coupon's time is over.")
    COUPON_USED_UP = _value("COUPON_USED_UP", "The coupon was used as often as it may be.")
    CART_EMPTY = _value("CART_EMPTY", "There is nothing to order.")
    CART_VERSION_CONFLICT = _value("CART_VERSION_CONFLICT", "The cart was changed since you read it.")
    ADDRESS_REQUIRED = _value("ADDRESS_REQUIRED", "A shipping address is needed.")
    EMAIL_REQUIRED = _value("EMAIL_REQUIRED", "An email address is needed.")
    DELIVERY_REQUIRED = _value("DELIVERY_REQUIRED", "A delivery option has to be chosen.")
    ORDER_NOT_PAYABLE = _value("ORDER_NOT_PAYABLE", "The order is paid, cancelled or expired.")
    ORDER_NOT_CANCELLABLE = _value("ORDER_NOT_CANCELLABLE", "The order is too far along to be cancelled.")
    IDEMPOTENCY_CONFLICT = _value("IDEMPOTENCY_CONFLICT", "This key was used with other input.")
    GATEWAY_UNAVAILABLE = _value("GATEWAY_UNAVAILABLE", "The payment gateway cannot be used right now.")
    PAYMENT_DECLINED = _value("PAYMENT_DECLINED", "The payment was declined.")
    INVALID_CREDENTIALS = _value("INVALID_CREDENTIALS", "Login or password is wrong.")
    TOKEN_INVALID = _value("TOKEN_INVALID", "The token is not one of ours.")
    TOKEN_EXPIRED = _value("TOKEN_EXPIRED", "The token's time is over.")
    CODE_INVALID = _value("CODE_INVALID", "The code is wrong.")
    ACCOUNT_PROTECTED = _value(
        "ACCOUNT_PROTECTED",
        "The account may do more than buy and its address was never confirmed: sign in with its password, confirm it.",
    )
    SIGN_IN_AGAIN = _value("SIGN_IN_AGAIN", "Sign in once more, by whatever way, and do it again within minutes.")
    LAST_WAY_IN = _value(
        "LAST_WAY_IN", "Nothing else opens the account: set a password or link another provider first."
    )
    PROVIDER_UNAVAILABLE = _value("PROVIDER_UNAVAILABLE", "Google or GitHub cannot be asked right now.")
    TOO_MANY_ATTEMPTS = _value("TOO_MANY_ATTEMPTS", "Too many tries; wait a while.")
    EMAIL_TAKEN = _value("EMAIL_TAKEN", "There is an account with this email address.")
    PASSWORD_TOO_WEAK = _value("PASSWORD_TOO_WEAK", "The password is too easy to guess.")


_CODES = {code.value: code for code in UserErrorCode}


@strawberry.type(description="Why a mutation was refused, and which input is at fault.")
class UserError:
    code: UserErrorCode = strawberry.field(description="What went wrong, to branch on.")
    message: str = strawberry.field(description="What went wrong, as a sentence in English for the developer.")
    field: list[str] | None = strawberry.field(
        description="The path of the input at fault, from `input` down; null when it is none in particular."
    )


def user_errors(error: DomainError) -> list[UserError]:
    """A domain failure as the payload of a mutation. A code that the schema does not know is a bug: raised."""
    return [_user_error(part) for part in error.parts]


def _user_error(error: DomainError) -> UserError:
    if error.code not in _CODES:
        raise error
    path = ["input", *error.field] if error.field else None
    return UserError(code=_CODES[error.code], message=error.message, field=path)


# Top-level errors ---------------------------------------------------------------------------------

# How graphql-core says that a document has too many tokens or is nested too deeply; it gives no code.
_LIMITS = (" tokens. Parsing aborted.", "nested too deeply. Parsing aborted.")
_NESTED_BY_FRAGMENTS = "Validation aborted."


def coded(code: str, message: str, **extensions: Any) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code, **extensions})


def public_error(error: GraphQLError) -> GraphQLError:
    """The error with a code that clients may rely on; bugs are masked and logged under an id."""
    original = error.original_error
    if (error.extensions or {}).get("code"):
        return error
    if original is None or isinstance(original, GraphQLError):
        too_complex = error.message.endswith(_LIMITS) or error.message == _NESTED_BY_FRAGMENTS
        code = "QUERY_TOO_COMPLEX" if too_complex else "BAD_USER_INPUT"
        return _with(error, error.message, {**(error.extensions or {}), "code": code})
    if isinstance(original, DomainError):
        code = "NOT_FOUND" if isinstance(original, NotFound) else "BAD_USER_INPUT"
        return _with(error, original.message, {"code": code, "reason": original.code, "field": original.field or None})
    error_id = uuid4().hex
    logger.error("Error %s at %s", error_id, error.path, exc_info=original)
    return _with(error, "Something went wrong on our side.", {"code": "INTERNAL", "errorId": error_id})


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def public_errors(errors: Sequence[GraphQLError] | None) -> list[GraphQLError] | None:
    return [public_error(error) for error in errors] if errors else None


class PublicErrors(SchemaExtension):
    """Every error that leaves has a code, over every transport."""

    def on_operation(self) -> Iterator[None]:
        yield
        result = self.execution_context.result
        if result is not None and getattr(result, "errors", None):
            result.errors = public_errors(result.errors)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        if getattr(result, "errors", None):
            result.errors = public_errors(result.errors)
        yield
