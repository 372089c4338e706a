"""The `tenant` API's OAuth2: tokens, applications, what is at rest, RFC 6749's errors on the token endpoint alone."""

from typing import Any

import pytest
from oauth2_provider.models import get_access_token_model

from payouts.api import throttling
from payouts.api.tenant import frame
from payouts.merchants import oauth
from payouts.merchants.oauth_models import Application
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import tenants
from tests.api.tenants import conformance

pytestmark = pytest.mark.django_db
AccessToken: Any = get_access_token_model()


def refused(answer: Any) -> tuple[int, str]:
    """RFC 6749's own body, §5.2."""
    assert set(answer.json()) <= {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


@conformance("S POST /o/token/ trades client credentials and a scope for a token, and is public")
@conformance("N {access_token, token_type: Bearer, expires_in: 36000, scope}; form-encoded, body or Basic")
@pytest.mark.parametrize("place", ["body", "header"])
@pytest.mark.parametrize("scope", ["read write", "read write admin"])
def test_credentials_in_the_body_or_the_header_become_a_token(place: str, scope: str) -> None:
    program = tenants.program()
    answer = tenants.ask(program.client_id, program.client_secret, scope=scope, basic=place == "header")
    body = tenants.told(answer)
    assert body == {"access_token": body["access_token"], "token_type": "Bearer", "expires_in": 36000, "scope": scope}
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert program.call("GET", "/currencies/", headers=headers).status_code == 200


def test_a_request_without_a_scope_gets_the_usual_ones() -> None:
    program = tenants.program()
    body = tenants.told(tenants.ask(program.client_id, program.client_secret, scope=None))
    assert body["scope"] == "read write"


@conformance("R RFC 6749 bodies on /o/token/, {error, message} elsewhere")
def test_what_is_wrong_with_a_request_for_a_token_is_said_by_the_rfc() -> None:
    program = tenants.program()
    plain = oauth.issue(program.merchant, name="plain", scopes=["read", "write"])
    known = program.client_id, program.client_secret

    def sent(raw: str) -> Any:
        return program.call("POST", "/o/token/", raw, content_type=tenants.FORM, headers={})

    # fmt: off
    wrong = [
        (tenants.ask(program.client_id, "wrong"),                                         (401, "invalid_client")),
        (tenants.ask("nobody", program.client_secret),                                    (401, "invalid_client")),
        (tenants.ask("nul\x00", program.client_secret),                                   (400, "invalid_request")),
        (tenants.ask(program.client_id, "wrong", basic=True),                             (401, "invalid_client")),
        (tenants.ask(*known, scope="everything"),                                         (400, "invalid_scope")),
        (tenants.ask(plain.application.client_id, plain.secret, scope="admin"),           (400, "invalid_scope")),
        (tenants.ask(*known, grant_type="password"),                                   (400, "unsupported_grant_type")),
        (tenants.ask(*known, resource="https://elsewhere.example"),                       (400, "invalid_request")),
        (sent(""),                                                                        (400, "invalid_request")),
        (sent("a=" + "x" * 1_000_001),                                                    (413, "invalid_request")),
        (sent("&".join(f"{number}=1" for number in range(1001))),                         (400, "invalid_request")),
        (program.call("POST", "/o/token/", {"grant_type": "x"}, headers={}),              (415, "invalid_request")),
        (program.call("GET", "/o/token/", headers={}),                                    (405, "invalid_request")),
    ]
    # fmt: on
    assert [refused(answer) for answer, _ in wrong] == [expected for _, expected in wrong]
    assert AccessToken.objects.count() == 1


@conformance("N tokens and secrets are at rest only as hashes")
def test_neither_a_token_nor_a_secret_can_be_read_in_the_database() -> None:
    program = tenants.program()
    rows = str([*Application.objects.values_list(), *AccessToken.objects.values_list()])
    assert program.client_id in rows
    assert program.token not in rows
    assert program.client_secret not in rows
    kept = Application.objects.get(client_id=program.client_id).client_secret
    assert kept.startswith("peppered$")
    assert tenants.ask(program.client_id, kept).status_code == 401, "the hash opens nothing"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer \x00", "Basic {}", "Bearer {}x", "{}"])
def test_what_is_no_token_of_ours_opens_nothing(header: str) -> None:
    program = tenants.program()
    answer = program.call("GET", "/currencies/", headers={"Authorization": header.format(program.token)})
    assert tenants.error(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token_opens_nothing() -> None:
    program = tenants.program()
    AccessToken.objects.update(expires=make.now())
    assert tenants.error(program.get("/currencies/")) == (401, "unauthorized")


@conformance("S GET and POST /o/apps/, DELETE /o/apps/{id}/: read, write")
def test_a_tenants_applications_are_made_listed_and_taken_away() -> None:
    program = tenants.program()
    made = tenants.told(program.post("/o/apps/", {"name": "shop"}), status=201)
    assert (made["name"], made["scope"]) == ("shop", "read write")
    listed = tenants.told(program.get("/o/apps/"))
    assert [row["name"] for row in listed["applications"]] == ["shop", "tests"]
    assert all("client_secret" not in row for row in listed["applications"]), "shown once"
    theirs = tenants.token(made["client_id"], made["client_secret"])
    headers = {"Authorization": f"Bearer {theirs}"}
    assert program.call("GET", "/user/me/", headers=headers).status_code == 200
    assert program.call("DELETE", f"/o/apps/{made['id']}/").status_code == 204
    assert tenants.error(program.call("GET", "/user/me/", headers=headers)) == (401, "unauthorized")
    assert refused(tenants.ask(made["client_id"], made["client_secret"])) == (401, "invalid_client")
    for gone in (str(made["id"]), "0", "x", "9" * 30, "-1"):
        assert tenants.error(program.call("DELETE", f"/o/apps/{gone}/")) == (404, "not_found")


def test_an_application_cannot_be_given_more_than_its_makers_token_has() -> None:
    program = tenants.program()
    whole = {"name": "greedy", "scope": "read write admin"}
    assert tenants.error(program.post("/o/apps/", whole)) == (403, "forbidden")
    assert tenants.told(program.with_scope("read write admin").post("/o/apps/", whole), status=201)["scope"]
    for wrong in ({}, {"name": ""}, {"name": "x" * 101}, {"name": "a", "scope": "all"}, {"name": "a", "more": 1}):
        assert tenants.error(program.post("/o/apps/", wrong)) == (400, "invalid_request")


def test_a_repeated_create_shows_the_same_application_and_its_secret() -> None:
    program = tenants.program()
    first, again = (program.post("/o/apps/", {"name": "shop"}, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Application.objects.filter(name="shop").count() == 1


def test_no_tenant_can_make_applications_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    program = tenants.program()
    monkeypatch.setattr(oauth, "MOST", 1)
    assert tenants.error(program.post("/o/apps/", {"name": "one more"})) == (400, "invalid_request")


@conformance("N 100 calls a minute, 1,000 an hour, 5,000 a day; Retry-After")
def test_the_call_after_the_last_that_a_window_allows_waits_and_says_for_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [str(limit.item) for limit in frame.LIMITS] == ["100 per 1 minute", "1000 per 1 hour", "5000 per 1 day"]
    program = tenants.program()
    monkeypatch.setattr(frame, "LIMITS", (frame.LIMITS[1], throttling.RateLimit("3/minute")))
    assert [program.get("/user/me/").status_code for _ in range(3)] == [200, 200, 200]
    stopped = program.get("/user/me/")
    assert tenants.error(stopped) == (429, "rate_limit_exceeded")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 60
    assert tenants.program(of=program.merchant).get("/user/me/").status_code == 200, "another application's are its own"


def test_who_made_an_application_may_not_approve_what_it_asks_for() -> None:
    person = make.approver(1)
    merchant = make.merchant(funds="100")
    issued = oauth.issue(merchant, name="theirs", scopes=["read", "write"], issued_to=person.person)
    program = tenants.Program(merchant, issued.application.client_id, issued.secret).with_scope("read write")
    made = tenants.told(program.create(), status=201)
    assert Withdrawal.objects.get(id=made["id"]).maker == person.person
