"""The chain as a Django app."""

from django.apps import AppConfig

from chain import roles


class ChainConfig(AppConfig):
    """Networks, wallets and the protocol that pays exactly once."""

    name = "chain"
    default_auto_field = "django.db.models.BigAutoField"
    grants = staticmethod(roles.grants)  # what the database roles may do here: `manage.py migrate` gives it

    def ready(self) -> None:
        """Register the checks."""
        from chain import checks  # noqa: F401 - models must be there before its imports
