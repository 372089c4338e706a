"""The chain as a Django app."""

from django.apps import AppConfig


class ChainConfig(AppConfig):
    """Networks, wallets and the protocol that pays exactly once."""

    name = "chain"
    default_auto_field = "django.db.models.BigAutoField"
