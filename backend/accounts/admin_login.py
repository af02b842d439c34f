"""How staff sign in to the admin: as everywhere, with their second factor and with tries that are counted."""

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from backend.accounts import queries, services
from backend.accounts.models import User
from backend.accounts.throttles import FactorTry, SignInTry
from backend.core.throttle import TooManyAttempts, network_of

WRONG_CODE = "This code is not right, or was used."
NO_FACTOR = "Your role asks for a second factor: enable it in the shop (twoFactorEnable), and come back."


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    # The page of unfold shows name and password alone; this field stands before the form, and belongs to it.
    code = forms.CharField(
        label="Code of your authenticator app, if you have one",
        required=False,
        max_length=services.MAX_CODE,
        widget=UnfoldAdminTextInputWidget(attrs={"form": "login-form", "autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        login = str(self.cleaned_data.get("username", ""))
        try:
            candidate = services.find_candidate(login=login)
            attempt = SignInTry(account=services.account_key(candidate, login), network=self._network)
            try:
                cleaned: dict[str, Any] = super().clean()
            except ValidationError:
                attempt.failed()
                raise
        except TooManyAttempts as error:
            raise ValidationError(error.message) from error
        attempt.succeeded()
        return cleaned

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super().confirm_login_allowed(user)
        assert isinstance(user, User)
        if queries.users_with_second_factor({user.pk}):
            self._take_code(user)
        elif queries.usable_grants_by_user([user.pk])[user.pk].lacks_factor:
            raise ValidationError(NO_FACTOR)

    def _take_code(self, user: User) -> None:
        attempt = FactorTry(user_id=user.pk, network=self._network)
        with transaction.atomic():
            right = services.take_factor(user_id=user.pk, code=self.cleaned_data.get("code", ""))
        if not right:
            raise ValidationError(WRONG_CODE)
        attempt.succeeded()

    @property
    def _network(self) -> str:
        return network_of(self.request.META.get("REMOTE_ADDR", "")) if self.request is not None else ""
