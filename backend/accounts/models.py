"""People: one user model; email or username is the login, compared without case. Their sessions and refresh tokens."""

import uuid
from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from graphql_jwt.refresh_token.models import AbstractRefreshToken

from backend.accounts.sealing import seal, unseal
from backend.accounts.secrets import hashed, new_secret
from backend.core import clock

GONE = "@deleted.invalid"
"""Where the addresses end of those who have left."""


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def with_login(self, login: str) -> "models.QuerySet[User]":
        """Whoever has this email address, or this username where it has no @.

        PostgreSQL lowers both sides, by the unique indexes. `iexact` would compare in upper case, where a dotless i
        equals one with a dot: somebody else's address would find this account.
        """
        column = "email" if "@" in login else "username"
        return self.alias(lowered=Lower(column)).filter(lowered=Lower(models.Value(login)))

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_login(username or "").get()


class User(AbstractBaseUser, PermissionsMixin):
    """`rights_version` grows whenever roles, permissions or `is_active` change: tokens of an older one are stale."""

    email = models.EmailField(unique=True)
    username = models.CharField(max_length=150, null=True, blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")
    date_joined = models.DateTimeField(default=timezone.now)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    pending_email = models.EmailField(blank=True, help_text="The new address, until its link has been opened.")
    rights_version = models.PositiveIntegerField(default=1, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.UniqueConstraint(Lower("username"), name="user_username_once"),
            # Two people may write down the same number; one of them has shown that it is theirs.
            models.UniqueConstraint(
                fields=["phone"], condition=models.Q(phone_verified_at__isnull=False), name="user_verified_phone_once"
            ),
        ]
        permissions = [("assign_roles", "Can give roles and take them away")]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **given: Any) -> None:
        """Whoever is made gets a customer's profile, by whatever way: registration, social login, createsuperuser."""
        if not self._state.adding:
            super().save(*args, **given)
            return
        with transaction.atomic():
            super().save(*args, **given)
            Customer.objects.get_or_create(user=self)


class Customer(models.Model):
    """What the shop knows of somebody as a buyer."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="customer")
    language = models.CharField(max_length=10, blank=True, help_text="What mails to them are written in.")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.user)


class Session(models.Model):
    """A device that is signed in: a family of refresh tokens, each the successor of the one before."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-last_used_at"], name="session_by_user"),
            models.Index(fields=["expires_at"], name="session_by_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(AbstractRefreshToken):  # type: ignore[misc]
    """django-graphql-jwt's refresh token. `token` holds a hash; the client alone has the text.

    A successor's text is made of its parent's text and the parent's `nonce`: two tabs that refresh with the same
    token can be given the same successor, which stands nowhere.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    session = models.ForeignKey(Session, models.CASCADE, related_name="tokens")
    created = models.DateTimeField()
    nonce = models.CharField(max_length=64, default=new_secret, editable=False)
    spent_at = models.DateTimeField(null=True)

    class Meta(AbstractRefreshToken.Meta):  # type: ignore[misc]
        unique_together: ClassVar[Collection[str]] = ()
        constraints = [models.UniqueConstraint(fields=["token"], name="refresh_token_once")]

    def __str__(self) -> str:
        return str(self.pk)

    def save(self, *args: Any, **given: Any) -> None:
        if not self.token:
            self.give(new_secret())
        super().save(*args, **given)

    def give(self, text: str) -> None:
        """Make this the text that the client will have."""
        self._cached_token = text  # where the library's get_token() looks
        self.token = hashed(text)


class Authenticator(Device):  # type: ignore[misc]
    """Somebody's authenticator app: a second factor once it is `confirmed`. The key is sealed, as a password is hashed.

    django-otp's own TOTP device keeps its key readable, and goes by the machine's clock, which tests cannot move.
    """

    STEP_S = 30
    TOLERANCE = 1
    """How many steps the app's clock may be off."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="authenticator")
    name = models.CharField(max_length=64, default="app")
    sealed_key = models.TextField(editable=False)
    last_step = models.BigIntegerField(default=-1, editable=False, help_text="Codes up to this time step were used.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "authenticator app"

    def verify_token(self, token: str) -> bool:
        """Whether this is a code of now that was not used; then it is. The row must be locked."""
        if not (len(token) == 6 and token.isascii() and token.isdigit()):
            return False
        key = unseal(self.sealed_key)
        app = TOTP(key, self.STEP_S)
        app.time = clock.now().timestamp()
        if not app.verify(int(token), self.TOLERANCE, self.last_step + 1):
            return False
        self.last_step = app.t()
        self.sealed_key = seal(key)  # by the newest SECRET_KEY
        self.save(update_fields=["last_step", "sealed_key"])
        return True


class RecoveryCode(models.Model):
    """What opens an account whose authenticator app is lost. Once; its text was shown once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return str(self.pk)


class ChallengeKind(models.TextChoices):
    OTP = "OTP"
    TOTP = "TOTP"
    PHONE = "PHONE"


class Challenge(models.Model):
    """What has to be answered before there are tokens (or, for PHONE, before a number is believed).

    Of a sent code there is a row for every destination that was asked for, whether anybody has it or not: only the
    worker that sends the code looks, and then notes whose it is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=ChallengeKind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="challenges")
    destination = models.CharField(max_length=254, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    cart_id = models.CharField(max_length=200, blank=True, help_text="The guest's cart that was named at sign-in.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(kind__in=ChallengeKind.values), name="challenge_kind")]
        indexes = [models.Index(fields=["expires_at"], name="challenge_by_expiry")]

    def __str__(self) -> str:
        return str(self.id)


class SocialStart(models.Model):
    """A sign-in with a provider that was begun in a browser: taken once, by its state and what that browser keeps.

    `sealed` holds what the library needs to go on, such as the verifier of PKCE.
    """

    state_hash = models.CharField(max_length=64, primary_key=True)
    binding_hash = models.CharField(max_length=64)
    provider = models.CharField(max_length=20)
    redirect_uri = models.CharField(max_length=2000)
    sealed = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.provider


class DefaultGrant(models.Model):
    """A permission that a role was given when it was new: given once, so that an admin may take it away for good."""

    group = models.ForeignKey("auth.Group", models.CASCADE, related_name="+")
    permission = models.ForeignKey("auth.Permission", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "permission"], name="default_grant_once")]

    def __str__(self) -> str:
        return f"{self.group_id} {self.permission_id}"


class AddressKind(models.TextChoices):
    HOME = "HOME"
    WORK = "WORK"
    OTHER = "OTHER"


class SavedAddress(models.Model):
    """An address that a customer keeps. The columns from `first_name` to `phone` are those of `backend.core.addresses`.

    Carts and orders take copies: what is changed here changes no order.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=AddressKind, default=AddressKind.HOME)
    is_default_shipping = models.BooleanField(default=False)
    is_default_billing = models.BooleanField(default=False)
    first_name = models.CharField(max_length=200)
    last_name = models.CharField(max_length=200)
    company = models.CharField(max_length=200, blank=True)
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2)
    phone = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "saved addresses"
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=AddressKind.values), name="address_kind_known"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default_shipping=True), name="one_default_shipping_address"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default_billing=True), name="one_default_billing_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line1}, {self.city}, {self.country}"
