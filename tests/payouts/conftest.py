"""What the tests of the payouts rooms share."""

from typing import Any

import pytest

from tests.chain.conftest import ethereum, keystore, lab, tron

__all__ = ["ethereum", "keystore", "lab", "tron"]  # the chains under a test's control


@pytest.fixture(autouse=True)
def _quick_people(settings: Any) -> None:
    """Test people's passwords cost nothing; what a password costs is Django's own matter."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
