"""People and their groups."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import Truncator
from graphql_jwt.refresh_token.models import RefreshToken as UnusedRefreshToken
from social_django.models import Association, Nonce, UserSocialAuth
from unfold.forms import AdminPasswordChangeForm
from unfold.forms import UserChangeForm as UnfoldUserChangeForm

from backend.accounts import checking, groups, marks, power, services
from backend.accounts.models import Authenticator, SavedAddress, Session, User
from backend.accounts.roles import GROUP_NAMES
from backend.core.admin import ModelAdmin, ReadOnlyAdmin
from backend.core.caller import Role
from backend.core.errors import DomainError

MAX_SHOWN = 50
VERIFIED = ("phone_verified_at", "email_verified_at", "pending_email")
_ADMINS = {GROUP_NAMES[Role.ADMIN]}
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class _Checked:
    """What staff type is checked as what people type of themselves."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        typed = self.cleaned_data["email"]
        if typed == self.instance.email:
            return str(typed)
        try:
            email = checking.clean_email(typed)
            checking.check_email_is_free(email, but=self.instance.pk)
        except DomainError as error:
            raise ValidationError(error.message) from error
        return email

    def clean_username(self) -> str | None:
        try:
            return checking.clean_username(self.cleaned_data["username"], but=self.instance.pk)
        except DomainError as error:
            raise ValidationError(error.message) from error


class UserCreationForm(_Checked, BaseUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email",)


class UserChangeForm(_Checked, UnfoldUserChangeForm):
    class Meta:
        """Without Django's field for usernames, which takes no NULL: here most people have none."""

        model = User
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        """The last admin stays one: nobody could give the role again."""
        values: dict[str, Any] = super().clean()  # type: ignore[assignment]
        user = self.instance
        held = values["groups"] if "groups" in values else user.groups.all()
        is_admin = values.get("is_superuser", user.is_superuser) or any(each.name in _ADMINS for each in held)
        stays = values.get("is_active", user.is_active) and is_admin
        was = user.is_superuser or user.groups.filter(name__in=_ADMINS).exists()
        if was and not stays:
            groups.lock_groups()
            if not services.has_other_admin(user.pk):
                raise ValidationError(services.LAST_ADMIN)
        return values


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    def save(self, commit: bool = True) -> User:
        """The password alone. Whoever knew the old one may have asked for another address: that is forgotten."""
        user: User = super().save(commit=False)
        user.pending_email = ""
        if commit:
            user.save(update_fields=["password", "pending_email"])
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    ordering = ("email",)
    list_display = ("address", "name", "roles", "verified", "is_active", "date_joined")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "username", "first_name", "last_name")
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined", *VERIFIED)
    fieldsets = (
        (None, {"fields": ("email", "username", "password")}),
        (
            "Person",
            {"fields": ("first_name", "last_name", "phone", "phone_verified_at", "email_verified_at", "pending_email")},
        ),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Email", ordering="email")
    def address(self, user: User) -> str:
        """Short enough for a column, and with the letters named that may only look like others."""
        text = Truncator(user.email).chars(MAX_SHOWN)
        spelled = user.email.encode("ascii", "backslashreplace").decode()
        return text if user.email.isascii() else f"{text} ({Truncator(spelled).chars(MAX_SHOWN)})"

    @admin.display(description="Name")
    def name(self, user: User) -> str:
        return Truncator(f"{user.first_name} {user.last_name}".strip()).chars(MAX_SHOWN)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join([*(["Superuser"] if user.is_superuser else []), *(group.name for group in user.groups.all())])

    @admin.display(description="Verified", boolean=True, ordering="email_verified_at")
    def verified(self, user: User) -> bool:
        return user.email_verified_at is not None

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Rights are given by superusers here, and by `userRolesSet`, where nobody gives more than they have."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Asked by the page, by the form for passwords, and by what is edited in the list."""
        if not super().has_change_permission(request, obj):
            return False
        return not isinstance(obj, User) or power.may_edit(_editor(request), obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Orders and books point to people: who leaves is erased by `userDelete`, and others are made inactive here."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """What was changed here alone, so that nothing comes back that was changed elsewhere since the page was read.

        Nobody has shown that an address or a number which staff have typed is theirs.
        """
        changed = {each.name for each in obj._meta.concrete_fields}.intersection(form.changed_data)
        if "phone" in changed:
            obj.phone_verified_at = None
            changed.add("phone_verified_at")
        if "email" in changed:
            obj.email_verified_at, obj.pending_email = None, ""
            changed |= {"email_verified_at", "pending_email"}
        obj.save(update_fields=changed if change else None)

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        super().save_related(request, form, *args)
        if "is_active" in form.changed_data and not form.instance.is_active:
            services.close_account(form.instance.pk)
        services.rights_changed([form.instance.pk])

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Whoever gets another password from staff is signed out: it may have been somebody else who knew the old."""
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302 and id.isdecimal():
            services.revoke_all_sessions(user_id=int(id))
        return answer


def _editor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


admin.site.login_template = "accounts/admin_login.html"
admin.site.unregister(Group)


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """Checked as what comes by GraphQL is, while nobody else changes groups."""

    editor: User

    class Meta:
        model = Group
        fields = ("name", "permissions")

    def clean_name(self) -> str:
        with _told():
            groups.lock_groups()
            return groups.clean_name(self.cleaned_data["name"], but=self.instance if self.instance.pk else None)

    def clean_permissions(self) -> Any:
        chosen = self.cleaned_data["permissions"].select_related("content_type")
        with _told():
            groups.lock_groups()
            groups.check_permissions(self.editor.get_all_permissions(), self.instance, groups.names_of(chosen))
        return chosen


@contextmanager
def _told() -> Iterator[None]:
    """What our rules refuse, as forms show it."""
    try:
        yield
    except DomainError as error:
        raise ValidationError(error.message) from error


def _allows(check: Callable[[set[str], Group], None], request: HttpRequest, group: Group | None) -> bool:
    """Whether a rule has nothing against what somebody is about to do with a group."""
    try:
        if group is not None:
            check(_editor(request).get_all_permissions(), group)
    except DomainError:
        return False
    return True


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """A role's name is what makes it a role (`backend.accounts.roles`): it stays, and so does the role."""

    form = GroupForm
    fields = ("name", "permissions")  # a role's name, which is only shown, would come last

    def get_form(self, request: HttpRequest, *args: Any, **given: Any) -> Any:
        """A form that knows whose it is."""
        form: Any = super().get_form(request, *args, **given)
        return type(form.__name__, (form,), {"editor": _editor(request)})

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name") if obj is not None and groups.is_role(obj) else fields

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _allows(groups.check_may_delete, request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and _allows(groups.check_may_touch, request, obj)

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        super().save_related(request, form, *args)
        services.rights_changed(list(form.instance.user_set.values_list("pk", flat=True)))
        transaction.on_commit(marks.tell_roles)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        groups.lock_groups()
        members = list(obj.user_set.values_list("pk", flat=True))
        super().delete_model(request, obj)
        services.rights_changed(members)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            for each in queryset:
                self.delete_model(request, each)


for unused in (Association, Nonce):  # social-auth's tables for what we do not use
    admin.site.unregister(unused)
admin.site.unregister(UserSocialAuth)


@admin.register(UserSocialAuth)
class UserSocialAuthAdmin(ReadOnlyAdmin):
    """Who signs in with which provider."""

    list_display = ("user", "provider", "uid", "created")
    list_select_related = ("user",)
    list_filter = ("provider",)
    search_fields = ("user__email", "uid")
    ordering = ("-created",)


admin.site.unregister(UnusedRefreshToken)  # django-graphql-jwt's own table, in whose place ours stands


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "user_agent", "created_at", "last_used_at", "expires_at", "revoked_at")
    search_fields = ("user__email",)
    ordering = ("-last_used_at",)
    list_select_related = ("user",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """To take a second factor away from somebody who has lost it, and has shown otherwise who they are."""

    list_display = ("user", "confirmed", "created_at")
    fields = ("user", "confirmed", "created_at")
    search_fields = ("user__email",)
    ordering = ("user",)
    list_select_related = ("user",)
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = request.user.has_perm("accounts.delete_authenticator")
        return allowed and (not isinstance(obj, Authenticator) or power.may_edit(_editor(request), obj.user))

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        services.remove_second_factor(user_id=obj.user_id)


@admin.register(SavedAddress)
class SavedAddressAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "line1", "postal_code", "city", "country")
    list_select_related = ("user",)
    list_filter = ("kind", "country")
    search_fields = ("user__email", "last_name", "line1", "postal_code", "city")
    ordering = ("user", "pk")
