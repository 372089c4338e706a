"""The people who may log in here: made, given rights and switched off by superusers alone."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Permission, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

# The rights that open something on this site; all others are nobody's or a superuser's.
RIGHTS = Q(codename__in=["approve_level1", "approve_level2", "change_message", "propose_rules", "confirm_rules"]) | Q(
    codename__regex=r"^(view|add|change)_(merchant|member|withdrawalsettings|store|qrcode)$"
    r"|^view_(policyrule|limitrule|feerule|bookedaddress|ruleproposal)$"
    r"|^(view|change)_(apikey|userwallet)$"
    r"|^view_(withdrawal|supervisor|addresschange|endpoint|message|attempt|accountline|eventline|creditlimitline)$"
    r"|^view_(depositaddress|extendedkey)$"
    r"|^view_(hotwallet|intent|signedattempt)$"
)
OURS = Q(content_type__app_label__in=["payouts", "ledger", "chain"])


class RightsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic at run time
    """Rights by what they let one do."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, right: Any) -> str:
        """The right's own words."""
        return str(right.name)


class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]  # unfold is untyped, UserAdmin no generic
    """Whoever may change rights could approve everything, so this takes a superuser."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "is_active", "is_staff", "is_superuser", "authenticator", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email")
    readonly_fields = ("authenticator", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "authenticator")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Each person with whether they hold an authenticator."""
        enrolled = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        rows: QuerySet[User] = super().get_queryset(request).annotate(enrolled=Exists(enrolled))
        return rows

    @admin.display(description="Authenticator", boolean=True)
    def authenticator(self, person: Any) -> bool:
        """Whether one is enrolled: nobody gets in without."""
        return bool(getattr(person, "enrolled", False))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer the rights that mean something here."""
        if db_field.name == "user_permissions":
            rights = Permission.objects.filter(OURS & RIGHTS).order_by("content_type__app_label", "name")
            return RightsField(rights, required=False, label="May")
        return super().formfield_for_manytomany(db_field, request, **options)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: people are switched off, what they did stays attributed to them."""
        return False
