"""What the tests of the payouts rooms share."""

from typing import Any

import pytest

from tests.chain.conftest import ethereum, keystore, lab, tron
from tests.ledger.conftest import owner_inside

__all__ = ["ethereum", "keystore", "lab", "owner_inside", "tron"]  # chains under a test's control, the owner's role


@pytest.fixture(autouse=True)
def _quick_people(settings: Any) -> None:
    """Test people's passwords cost nothing; what a password costs is Django's own matter."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
