"""Who may call the `merchant` API: the documented header, and the stronger one that covers the call."""

import hmac
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from payouts.api import base
from payouts.api.merchant import auth
from payouts.merchants import nonces
from payouts.merchants.models import ApiKey, Merchant, Nonce
from tests import make
from tests.api import speaker
from tests.api.speaker import CREATE, Program, conformance
from tests.payouts import crowd

CREATING = ("POST", "/v1/withdrawals", json.dumps(CREATE).encode())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> int:
    """The API's clock, stopped at this Unix time."""
    at = 1_800_000_000
    monkeypatch.setattr(base, "now", lambda: datetime.fromtimestamp(at, UTC))
    return at


def refusal(program: Program, authorization: str) -> tuple[int, str]:
    answer = program.call("GET", "/v1/balance", authorization=authorization)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    return speaker.error(answer)


# --- the documented form --------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a",
        "Bearer a:1",
        "Bearer a:x:b",
        "Bearer a:1.5:b",
        "Bearer a:-1:b",
        "Bearer a:9999999999999:b",
        "Bearer ::",
        "Bearer a:1:b:c:d",
        "Bearer a:1:short:c",
        "Bearer a\x00b:1:c",
        "Bearer ä:1:c",
        "Bearer a:１:c",
        "Basic a:1:b",
        "Token abc",
        "Bearer " + "a" * 5000 + ":1:b",
    ],
)
def test_a_header_of_another_form_is_told_so(header: str, program: Program) -> None:
    assert refusal(program, header) == (401, "invalid authorization format")


@conformance("S Authorization: Bearer {key}:{ts}:{sig} on every call")
@conformance("N the documented texts of 401")
@pytest.mark.django_db
def test_each_thing_wrong_with_a_header_has_its_documented_text(merchant: Merchant, program: Program) -> None:
    other = speaker.program(make.merchant())
    assert refusal(program, "") == (401, "missing authorization header")
    assert refusal(program, program.bearer(key="mk_live_nobody")) == (401, "api key not found")
    assert refusal(program, program.bearer(sig="0" * 64)) == (401, "invalid signature")
    assert refusal(program, program.bearer(sig="nonsense")) == (401, "invalid signature")
    assert refusal(program, other.bearer(key=program.key_id)) == (401, "invalid signature")
    assert refusal(program, Program(program.key_id, other.secret).bearer()) == (401, "invalid signature")
    ApiKey.objects.filter(key_id=program.key_id).update(is_active=False)
    assert refusal(program, program.bearer()) == (401, "api key is inactive")


@pytest.mark.django_db
def test_a_key_of_another_api_does_not_work_here(program: Program) -> None:
    ApiKey.objects.filter(key_id=program.key_id).update(api="invoice")
    assert refusal(program, program.bearer()) == (401, "api key not found")


@conformance("N a timestamp is good for ±5 min")
@pytest.mark.django_db
@pytest.mark.parametrize(("age_s", "status"), [(0, 200), (300, 200), (-300, 200), (301, 401), (-301, 401)])
def test_a_timestamp_is_good_for_five_minutes_either_way(age_s: int, status: int, clock: int, program: Program) -> None:
    for header in (program.bearer(ts=clock - age_s), program.signed("GET", "/v1/balance", ts=clock - age_s)):
        answer = program.call("GET", "/v1/balance", authorization=header)
        assert answer.status_code == status
        assert status == 200 or answer.json() == {"error": "request timestamp too old"}


@pytest.mark.django_db
def test_the_signature_is_of_this_very_timestamp(program: Program) -> None:
    stale = program.bearer(ts=time.time() - 1000).rpartition(":")[2]
    assert refusal(program, program.bearer(sig=stale)) == (401, "invalid signature")


@conformance("N sig = hex(HMAC-SHA256(secret, {key_id}.{unix_ts}))")
@pytest.mark.django_db
def test_the_code_under_test_signs_as_the_document_says() -> None:
    expected = speaker.hmac_hex("ab" * 32, "mk_live_abc.1700000000")
    assert auth.signature("ab" * 32, key_id="mk_live_abc", unix_ts=1_700_000_000) == expected


@conformance("N keys are mk_live_… and mk_test_…, secrets 64 hex digits")
@pytest.mark.django_db
def test_keys_say_whether_they_are_live_or_test_keys(program: Program) -> None:
    assert program.key_id.startswith("mk_live_")
    assert speaker.program(make.merchant(mode=Merchant.Mode.TEST)).key_id.startswith("mk_test_")
    assert len(bytes.fromhex(program.secret)) == 32


@pytest.mark.django_db
def test_signatures_are_compared_in_constant_time(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    real = hmac.compare_digest

    def watched(one: str, other: str) -> bool:
        compared.extend((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    header = program.bearer()
    assert program.call("GET", "/v1/balance", authorization=header).status_code == 200
    assert header.rpartition(":")[2] in compared


# --- the stronger form ----------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("target", ["/v1/withdrawals?limit=5&offset=0", "/v1/balance", "/v1/withdrawals?"])
def test_a_signed_call_is_answered(target: str, program: Program) -> None:
    assert program.call("GET", target, authorization=program.signed("GET", target)).status_code == 200


@conformance("R a replayed signed call is refused")
@pytest.mark.django_db
def test_a_signed_create_works_once_and_its_replay_moves_nothing(merchant: Merchant, program: Program) -> None:
    header = program.signed(*CREATING)
    assert program.call(*CREATING, authorization=header).status_code == 201
    before = speaker.state(merchant)
    assert speaker.error(program.call(*CREATING, authorization=header)) == (401, "nonce was used before")
    assert speaker.state(merchant) == before


# fmt: off
TAMPERINGS: dict[str, Callable[[list[str]], tuple[list[str], str, str, bytes]]] = {
    "method": lambda parts: (parts, "DELETE", CREATING[1], CREATING[2]),
    "path":   lambda parts: (parts, "POST", "/v1/webhooks", CREATING[2]),
    "query":  lambda parts: (parts, "POST", CREATING[1] + "?a=1", CREATING[2]),
    "body":   lambda parts: (parts, "POST", CREATING[1], CREATING[2].replace(b"500.00", b"900.00")),
    "time":   lambda parts: ([parts[0], str(int(parts[1]) + 1), *parts[2:]], *CREATING),
    "nonce":  lambda parts: ([*parts[:2], uuid.uuid4().hex, parts[3]], *CREATING),
    "form":   lambda parts: ([*parts[:2], parts[3]], *CREATING),
}
# fmt: on


@pytest.mark.django_db
@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_signed_call_that_was_tampered_with_is_refused_and_changes_nothing(
    what: str, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    parts, method, target, body = TAMPERINGS[what](program.signed(*CREATING).removeprefix("Bearer ").split(":"))
    answer = program.call(method, target, body, authorization="Bearer " + ":".join(parts))
    assert speaker.error(answer) == (401, "invalid signature")
    assert speaker.state(merchant) == before


@conformance("R a key can demand request signing")
@pytest.mark.django_db
def test_a_key_can_demand_that_the_call_itself_is_signed(merchant: Merchant, program: Program) -> None:
    ApiKey.objects.filter(key_id=program.key_id).update(require_request_signing=True)
    before = speaker.state(merchant)
    assert speaker.error(program.post("/v1/withdrawals", CREATE)) == (401, "this key requires request signing")
    assert speaker.state(merchant) == before
    assert program.call(*CREATING, authorization=program.signed(*CREATING)).status_code == 201


@pytest.mark.django_db
def test_a_refused_signature_uses_up_no_nonce(program: Program) -> None:
    header = program.signed("GET", "/v1/balance")
    assert refusal(program, header[:-4] + "0000") == (401, "invalid signature")
    assert program.call("GET", "/v1/balance", authorization=header).status_code == 200


def test_of_twenty_replays_at_once_one_passes(merchant: Merchant, program: Program) -> None:
    header = program.signed(*CREATING)
    statuses: list[int] = []
    job = lambda: statuses.append(program.call(*CREATING, authorization=header).status_code)  # noqa: E731 - a job
    crowd.at_once([job] * 20)
    assert sorted(statuses) == [201] + [401] * 19
    assert make.holds(merchant)["frozen"] == make.usdt("500")


@pytest.mark.django_db
def test_a_nonce_is_remembered_longer_than_its_timestamp_lets_it_in(program: Program) -> None:
    key, now = ApiKey.objects.get(key_id=program.key_id), make.now()
    assert nonces.first_use(key, "n" * 16, now=now)
    assert not nonces.first_use(key, "n" * 16, now=now + timedelta(seconds=2 * auth.WINDOW_S + 1))
    assert nonces.first_use(key, "o" * 16, now=now + timedelta(hours=1))
    assert list(Nonce.objects.values_list("nonce", flat=True)) == ["o" * 16], "what nobody can replay is forgotten"


@pytest.mark.django_db
def test_two_keys_may_use_the_same_nonce(merchant: Merchant) -> None:
    one, other = speaker.program(merchant), speaker.program(merchant)
    for program in (one, other):
        header = program.signed("GET", "/v1/balance", nonce="shared-by-chance")
        assert program.call("GET", "/v1/balance", authorization=header).status_code == 200
