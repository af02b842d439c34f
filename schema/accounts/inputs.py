"""What clients send about accounts."""

import strawberry

from schema.carts.merging import CART_ID
from schema.server.enums import LanguageCode

PASSWORD_AGAIN = "The password you have now, once more."
NO_PASSWORD = " Who has none (`hasPassword`) leaves it out, and must have signed in within minutes (SIGN_IN_AGAIN)."


@strawberry.input(description="Signing in with a password.")
class TokenCreateInput:
    login: str = strawberry.field(description="The email address or username, in any case of letters.")
    password: str = strawberry.field(description="The password.")
    cart_id: strawberry.ID | None = strawberry.field(default=None, description=CART_ID)


@strawberry.input(description="Staying signed in.")
class TokenRefreshInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="The newest refresh token; left out in cookie mode."
    )


@strawberry.input(description="Signing out.")
class TokenRevokeInput:
    refresh_token: str | None = strawberry.field(
        default=None, description="A refresh token of the session to end; without one, the session that asks."
    )


@strawberry.input(description="Signing another device out.")
class SessionRevokeInput:
    id: strawberry.ID = strawberry.field(description="The session's id.")


@strawberry.input(description="Becoming a customer.")
class UserRegisterInput:
    email: str = strawberry.field(description="The email address; a link is sent there to confirm it.")
    password: str = strawberry.field(description="The password, up to 1024 characters, and not an easy one.")
    username: str | None = strawberry.field(
        default=None, description="A name to sign in with beside the email address: plain letters, digits and . _ + -"
    )
    first_name: str | None = strawberry.field(default=None, description="The first name.")
    last_name: str | None = strawberry.field(default=None, description="The last name.")
    phone: str | None = strawberry.field(
        default=None, description="The phone number; without + it is read as one of the context's country."
    )
    cart_id: strawberry.ID | None = strawberry.field(default=None, description=CART_ID)


@strawberry.input(description="The token of a mailed link.")
class EmailVerifyInput:
    token: str = strawberry.field(description="The token of the link.")


@strawberry.input(description="What changes of your account. What is left out stays as it is; null empties.")
class UserUpdateInput:
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="The first name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="The last name.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The phone number; without + it is read as one of the context's country."
    )
    username: str | None = strawberry.field(
        default=strawberry.UNSET, description="A name to sign in with: plain letters, digits and . _ + -"
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A new email address: it holds once the link is opened that is sent there. Needs the password.",
    )
    current_password: str | None = strawberry.field(default=None, description=PASSWORD_AGAIN + NO_PASSWORD)
    language: LanguageCode | None = strawberry.field(
        default=strawberry.UNSET, description="What mails to you are written in."
    )


@strawberry.input(description="What staff change of somebody's account. What is left out stays as it is; null empties.")
class CustomerUpdateInput:
    user_id: strawberry.ID = strawberry.field(description="Whose account.")
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="The first name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="The last name.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="The phone number; without + it is read as one of the context's country."
    )
    username: str | None = strawberry.field(
        default=strawberry.UNSET, description="A name to sign in with: plain letters, digits and . _ + -"
    )
    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="A new email address. It holds at once, unverified; the old one is told."
    )
    language: LanguageCode | None = strawberry.field(
        default=strawberry.UNSET, description="What mails to them are written in."
    )
    is_active: bool | None = strawberry.field(
        default=None, description="Whether they can sign in; false signs them out everywhere at once."
    )


@strawberry.input(description="Forgetting somebody who has asked the shop to.")
class CustomerEraseInput:
    user_id: strawberry.ID = strawberry.field(description="Whose account.")


@strawberry.input(description="A new password for the old one.")
class PasswordChangeInput:
    new_password: str = strawberry.field(description="The new password, up to 1024 characters.")
    current_password: str | None = strawberry.field(default=None, description=PASSWORD_AGAIN + NO_PASSWORD)


@strawberry.input(description="A forgotten password.")
class PasswordResetRequestInput:
    email: str = strawberry.field(description="The account's email address.")


@strawberry.input(description="A new password by a mailed link.")
class PasswordResetInput:
    token: str = strawberry.field(description="The token of the link.")
    new_password: str = strawberry.field(description="The new password, up to 1024 characters.")


@strawberry.input(description="Leaving for good.")
class UserDeleteInput:
    password: str | None = strawberry.field(default=None, description=PASSWORD_AGAIN + NO_PASSWORD)


CHALLENGE_ID = "The challenge's id."


@strawberry.input(description="A code by email or SMS.")
class OtpRequestInput:
    destination: str = strawberry.field(
        description="The email address or phone number of an account, verified; a number without + is read as one of "
        "the context's country."
    )
    cart_id: strawberry.ID | None = strawberry.field(default=None, description=CART_ID)


@strawberry.input(description="The answer to a challenge.")
class TokenChallengeAnswerInput:
    challenge_id: strawberry.ID = strawberry.field(description=CHALLENGE_ID)
    code: str = strawberry.field(
        description="OTP: the six digits that were sent. TOTP: the six digits of the app, or a recovery code."
    )


@strawberry.input(description="A code of the app that is to be enabled.")
class TwoFactorConfirmInput:
    code: str = strawberry.field(description="The six digits that the app shows.")


@strawberry.input(description="Going back to one factor.")
class TwoFactorDisableInput:
    code: str = strawberry.field(description="The six digits that the app shows, or a recovery code.")


@strawberry.input(description="New recovery codes in place of the old ones.")
class RecoveryCodesRenewInput:
    code: str = strawberry.field(description="The six digits that the app shows, or a recovery code.")


@strawberry.input(description="The answer to a phone's challenge.")
class PhoneVerifyInput:
    challenge_id: strawberry.ID = strawberry.field(description=CHALLENGE_ID)
    code: str = strawberry.field(description="The six digits that were sent.")
