"""What the dashboard's tests share."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _quick_people(settings: Any) -> None:
    """Test people's passwords cost nothing; what a password costs is Django's own matter."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
