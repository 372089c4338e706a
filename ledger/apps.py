"""The ledger as a Django app."""

from django.apps import AppConfig

from ledger import roles


class LedgerConfig(AppConfig):
    """Accounts, events and the one function that writes them."""

    name = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
    grants = staticmethod(roles.grants)  # what the database roles may do here: `manage.py migrate` gives it
