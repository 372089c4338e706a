"""The payouts as a Django app."""

from django.apps import AppConfig

from payouts import roles


class PayoutsConfig(AppConfig):
    """Merchants, withdrawals, webhooks and the vendors' APIs over one core."""

    name = "payouts"
    default_auto_field = "django.db.models.BigAutoField"
    grants = staticmethod(roles.grants)  # what the database roles may do here: `manage.py migrate` gives it

    def ready(self) -> None:
        """Register the checks."""
        from payouts import checks  # noqa: F401 - models must be there before its imports
