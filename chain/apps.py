"""The chain as a Django app."""

from django.apps import AppConfig


class ChainConfig(AppConfig):
    """Networks, wallets and the protocol that pays exactly once."""

    name = "chain"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from chain import checks  # noqa: F401 - models must be there before its imports
