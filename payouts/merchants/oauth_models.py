"""A merchant's OAuth2 applications; their tokens are django-oauth-toolkit's own rows, kept as checksums only."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from oauth2_provider.models import AbstractApplication

from payouts.merchants.models import Merchant

SCOPES = ("read", "write", "admin")


def usual_scopes() -> list[str]:
    """What an application may ask for unless somebody says more."""
    return ["read", "write"]


class Application(AbstractApplication):  # type: ignore[misc]  # the library is untyped
    """A program of a merchant's that trades its id and secret for tokens; only the secret's hash is kept."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    scopes = ArrayField(
        models.CharField(max_length=8), default=usual_scopes, help_text="What its tokens may be good for."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who made it; this person may not approve what it asks for.",
    )

    class Meta:
        app_label = "payouts"
        constraints = [
            models.CheckConstraint(
                name="application_scopes_known", condition=Q(scopes__contained_by=[*SCOPES], scopes__len__gt=0)
            ),
            models.CheckConstraint(
                name="application_of_programs_alone",
                condition=Q(
                    client_type="confidential",
                    authorization_grant_type="client-credentials",
                    hash_client_secret=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.name or self.client_id)
