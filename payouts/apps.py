"""The payouts as a Django app."""

from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    """Merchants, withdrawals, webhooks and the vendors' APIs over one core."""

    name = "payouts"
    default_auto_field = "django.db.models.BigAutoField"
