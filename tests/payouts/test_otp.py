"""One-time codes. Invariant 5: each works once, for what was shown to this person, and guessing gets slow."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants import otp
from payouts.merchants.models import Challenge, Merchant
from payouts.withdrawals import decisions
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.databases import Database
from tests.payouts.crowd import at_once


@pytest.fixture
def merchant(db: None) -> Merchant:
    return make.merchant(funds="1000")


def state(withdrawal: Withdrawal) -> dict[str, Any]:
    row = Withdrawal.objects.filter(id=withdrawal.id).values().get()
    return row | {"steps": withdrawal.steps.count(), "holds": make.holds(withdrawal.merchant)}


def shown(withdrawal: Withdrawal, by: make.Approver, verb: str = "approve_l1", *, now: datetime | None = None) -> UUID:
    return decisions.show(withdrawal, verb, person=by.person, now=now or make.now()).id


def approve(withdrawal: Withdrawal, by: make.Approver, challenge_id: UUID, code: str) -> Withdrawal:
    return decisions.approve(
        withdrawal.id, level=1, person=by.person, challenge_id=challenge_id, code=code, now=make.now()
    )


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def full_width(code: str) -> str:
    return code.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})


SPOILT: dict[str, Callable[[str], str]] = {
    "wrong": wrong,
    "missing": lambda _: "",
    "full-width digits": full_width,
    "Arabic digits": lambda code: code.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)}),
    "five digits": lambda code: code[:5],
    "seven digits": lambda code: code + "0",
    "a leading zero more": lambda code: "0" + code,
    "a space before": lambda code: " " + code,
    "a space within": lambda code: f"{code[:3]} {code[3:]}",
    "a line break after": lambda code: code + "\n",
    "an underscore": lambda code: f"{code[:3]}_{code[3:]}",
    "a sign": lambda code: "+" + code,
    "letters": lambda _: "abcdef",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_is_not_the_code_approves_nothing(merchant: Merchant, spoil: Callable[[str], str]) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    challenge_id, code = shown(made, by), spoil(by.code())
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, challenge_id, code)
    assert state(made) == before


@pytest.mark.parametrize("spoil", [wrong, SPOILT["missing"]], ids=["wrong", "missing"])
def test_what_is_not_the_code_rejects_nothing(merchant: Merchant, spoil: Callable[[str], str]) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    challenge_id, code = shown(made, by, "reject"), spoil(by.code())
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        decisions.reject(made.id, person=by.person, challenge_id=challenge_id, code=code, reason="no", now=make.now())
    assert state(made) == before


def test_the_right_code_is_enough(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    assert approve(made, by, shown(made, by), by.code()).status == Status.LEVEL1_APPROVED


def test_a_code_is_not_taken_for_a_second_withdrawal(merchant: Merchant) -> None:
    one, two, by = make.withdrawal(merchant), make.withdrawal(merchant), make.approver(1)
    code = by.code()
    approve(one, by, shown(one, by), code)
    challenge_id, before = shown(two, by), state(two)
    with pytest.raises(otp.OtpRefused):
        approve(two, by, challenge_id, code)
    assert state(two) == before


def test_somebody_elses_code_is_none(merchant: Merchant) -> None:
    made, by, other = make.withdrawal(merchant), make.approver(1), make.approver(1)
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, by), other.code())
    assert state(made) == before


def test_somebody_elses_challenge_is_none(merchant: Merchant) -> None:
    made, by, other = make.withdrawal(merchant), make.approver(1), make.approver(1)
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, other), by.code())
    assert state(made) == before


def test_a_challenge_of_another_withdrawal_confirms_nothing_here(merchant: Merchant) -> None:
    made, other, by = make.withdrawal(merchant), make.withdrawal(merchant), make.approver(1)
    before = state(made), state(other)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(other, by), by.code())
    assert (state(made), state(other)) == before


def test_a_challenge_to_reject_confirms_no_approval(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, by, "reject"), by.code())
    assert state(made) == before


def test_a_challenge_that_nobody_made_is_none(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, uuid4(), by.code())
    assert state(made)["status"] == Status.PENDING


def test_a_challenge_lives_ten_minutes(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    before = state(made)
    old = shown(made, by, now=make.now() - timedelta(minutes=10))
    with pytest.raises(otp.OtpRefused):
        approve(made, by, old, by.code())
    assert state(made) == before
    nearly_old = shown(made, by, now=make.now() - timedelta(minutes=9, seconds=50))
    assert approve(made, by, nearly_old, by.code()).status == Status.LEVEL1_APPROVED


def test_an_expired_challenge_costs_no_code(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    code = by.code()
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, by, now=make.now() - timedelta(hours=1)), code)
    assert approve(made, by, shown(made, by), code).status == Status.LEVEL1_APPROVED


def test_a_confirmed_challenge_is_spent_once(merchant: Merchant) -> None:
    by, now = make.approver(1), make.now()
    made = otp.challenge(by.person, purpose="x", payload_hash=b"h" * 32, now=now)
    spend: dict[str, Any] = {"person": by.person, "purpose": "x", "payload_hash": b"h" * 32, "now": now}
    with pytest.raises(otp.OtpRefused):
        otp.spend(made.id, **spend)
    otp.confirm(made.id, person=by.person, code=by.code(), now=now)
    other: list[dict[str, Any]] = [
        {"purpose": "y"},
        {"payload_hash": b"i" * 32},
        {"person": make.approver(1).person},
        {"now": now + otp.CHALLENGE_LIFE},
    ]
    for change in other:
        with pytest.raises(otp.OtpRefused):
            otp.spend(made.id, **spend | change)
    otp.spend(made.id, **spend)
    with pytest.raises(otp.OtpRefused):
        otp.spend(made.id, **spend)


def test_nobody_confirms_somebody_elses_challenge(merchant: Merchant) -> None:
    by, other, now = make.approver(1), make.approver(1), make.now()
    made = otp.challenge(by.person, purpose="x", payload_hash=b"h" * 32, now=now)
    with pytest.raises(otp.OtpRefused):
        otp.confirm(made.id, person=other.person, code=other.code(), now=now)
    assert Challenge.objects.get(id=made.id).confirmed_at is None


def test_a_confirmed_challenge_takes_no_second_code(merchant: Merchant) -> None:
    by, now = make.approver(1), make.now()
    made = otp.challenge(by.person, purpose="x", payload_hash=b"h" * 32, now=now)
    otp.confirm(made.id, person=by.person, code=by.code(), now=now)
    with pytest.raises(otp.OtpRefused):
        otp.confirm(made.id, person=by.person, code=by.code(), now=now)


def code_of(by: make.Approver, steps: int) -> str:
    """The code of so many half minutes from now."""
    device = TOTPDevice.objects.get(user=by.person)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, steps)
    return f"{totp.token():06d}"


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_far_from_now_is_none(merchant: Merchant, steps: int) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, by), code_of(by, steps))


def test_codes_from_the_edge_do_not_move_the_window(merchant: Merchant) -> None:
    """A device that is believed to run ahead would take codes further and further ahead."""
    made, by = make.withdrawal(merchant), make.approver(1)
    approve(made, by, shown(made, by), code_of(by, 1))
    other = make.withdrawal(merchant)
    with pytest.raises(otp.OtpRefused):
        approve(other, by, shown(other, by), code_of(by, 3))
    assert TOTPDevice.objects.get(user=by.person).drift == 0


def test_without_an_authenticator_there_is_no_yes(merchant: Merchant) -> None:
    made, by = make.withdrawal(merchant), make.approver(1)
    code = by.code()
    TOTPDevice.objects.filter(user=by.person).update(confirmed=False)
    with pytest.raises(otp.OtpRefused):
        approve(made, by, shown(made, by), code)


def test_one_code_for_twenty_withdrawals_at_once_approves_one(committed: Database) -> None:
    merchant, by = make.merchant(funds="10000"), make.approver(1)
    made = [make.withdrawal(merchant) for _ in range(20)]
    challenges = [shown(one, by) for one in made]
    code = by.code()

    def job(one: Withdrawal, challenge_id: UUID) -> Callable[[], object]:
        return lambda: approve(one, by, challenge_id, code)

    outcomes = at_once([job(*pair) for pair in zip(made, challenges, strict=True)], refusals=(otp.OtpRefused,))

    assert outcomes == {"done": 1, "OtpRefused": 19}
    assert Withdrawal.objects.filter(status=Status.LEVEL1_APPROVED).count() == 1
    assert Challenge.objects.filter(confirmed_at__isnull=False).count() == 1


def test_guesses_count_although_each_approval_fails_and_make_the_right_code_wait(committed: Database) -> None:
    made, by = make.withdrawal(make.merchant(funds="1000")), make.approver(1)
    challenges = [shown(made, by) for _ in range(8)]
    guess = wrong(wrong(by.code()))

    def job(challenge_id: UUID) -> Callable[[], object]:
        return lambda: approve(made, by, challenge_id, guess)

    assert at_once([job(one) for one in challenges], refusals=(otp.OtpRefused,)) == {"OtpRefused": 8}

    device = TOTPDevice.objects.get(user=by.person)
    assert device.throttling_failure_count >= 1
    TOTPDevice.objects.update(throttling_failure_timestamp=make.now(), throttling_failure_count=5)
    with pytest.raises(otp.OtpRefused, match="wait"):
        approve(made, by, challenges[0], by.code())
    assert Withdrawal.objects.get(id=made.id).status == Status.PENDING
    TOTPDevice.objects.update(throttling_failure_timestamp=make.now() - timedelta(seconds=60))
    assert approve(made, by, challenges[0], by.code()).status == Status.LEVEL1_APPROVED
