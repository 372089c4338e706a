"""What the tests of the APIs share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

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


@pytest.fixture
def through_wsgi() -> Iterator[None]:
    """Calls of the WSGI application stay in the test's transaction, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
