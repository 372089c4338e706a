"""What the tests of the APIs share."""

from typing import Any

import pytest

from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval
from tests import make
from tests.api import speaker


@pytest.fixture(autouse=True)
def _quick_and_at_once(settings: Any) -> None:
    """Test people's passwords cost nothing, and no create waits for its end unless a test asks it to."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "payouts.merchants.oauth.Peppered"]
    settings.WITHDRAWAL_WAIT_S = 0


@pytest.fixture
def merchant(request: pytest.FixtureRequest) -> Merchant:
    """A live merchant with 1,000 USDT that nobody's approval is asked for, so that tests reach every status."""
    if not request.node.get_closest_marker("django_db"):
        request.getfixturevalue("committed")
    made = make.merchant(funds="1000")
    make.policy(made, Approval.NONE)
    return made


@pytest.fixture
def program(merchant: Merchant) -> speaker.Program:
    """That merchant's program."""
    return speaker.program(merchant)
