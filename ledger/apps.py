"""The ledger as a Django app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Accounts, events and the one function that writes them."""

    name = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
