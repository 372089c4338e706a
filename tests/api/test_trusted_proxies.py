"""Whose call it is behind a proxy: who is trusted names the client that limits count; nobody else's word does."""

from typing import Any

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from werkzeug.test import Client

from config import proxies, wsgi
from tests.api import users

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("through_wsgi")]
PROXY, INNER_PROXY, CLIENT, OTHER, FORGED = "10.0.0.7", "10.0.9.9", "203.0.113.9", "203.0.113.10", "198.51.100.1"
BEHIND = proxies.behind(get_wsgi_application(), trusted=["10.0.0.0/8"])


def left(program: users.Program, peer: str, forwarded: str = "", *, application: Any = BEHIND) -> int:
    """How many calls the window still allows to whom the house takes for the caller."""
    headers = {"apikey": program.apikey} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    asked = Client(application).get(
        "/api/v1/public/balance", base_url="http://testserver", headers=headers, environ_base={"REMOTE_ADDR": peer}
    )
    assert asked.status_code == 200
    return int(asked.headers["RateLimit-Remaining"])


def test_a_forged_address_from_a_peer_that_is_no_proxy_changes_nothing() -> None:
    program = users.program()
    calls = (CLIENT, ""), (CLIENT, FORGED), (CLIENT, f"{OTHER}, {PROXY}")
    assert [left(program, *call) for call in calls] == [99, 98, 97]


def test_a_trusted_proxys_word_counts_each_client_for_itself_and_what_a_client_forged_before_it_does_not() -> None:
    program = users.program()
    forwarded = CLIENT, OTHER, f"{FORGED}, {CLIENT}", f"{CLIENT}, {INNER_PROXY}", f"{CLIENT}, {OTHER}"
    assert [left(program, PROXY, one) for one in forwarded] == [99, 99, 98, 97, 98]


def test_nonsense_from_a_trusted_proxy_is_counted_and_breaks_nothing() -> None:
    program = users.program()
    assert [left(program, PROXY, one) for one in ("unknown", "unknown", f"{CLIENT}:4711", ", ,")] == [99, 98, 97, 96]
    refused = Client(BEHIND).post(
        "/api/v1/auth/login",
        base_url="http://testserver",
        json={"username": "nobody", "password": "wrong"},
        headers={"X-Forwarded-For": "unknown"},
        environ_base={"REMOTE_ADDR": PROXY},
    )
    assert refused.status_code == 401


def test_without_the_setting_nobody_is_trusted() -> None:
    assert settings.TRUSTED_PROXIES == []
    program = users.program()
    forwarded = CLIENT, OTHER, "127.0.0.1"
    assert [left(program, PROXY, one, application=wsgi.application) for one in forwarded] == [99, 98, 97]
