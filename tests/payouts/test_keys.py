"""Secrets that open only where they belong, keys, and nonces that work once."""

from datetime import timedelta
from typing import Any

import pytest

from payouts.merchants import keys, nonces, secrets
from payouts.merchants.models import ApiKey, Merchant, Nonce
from tests import make
from tests.databases import Database
from tests.payouts.crowd import at_once


@pytest.fixture
def merchant(db: None) -> Merchant:
    return make.merchant()


def test_a_sealed_secret_opens_in_its_own_row_only() -> None:
    sealed = secrets.seal("a secret", context="row 1")
    assert b"a secret" not in sealed
    assert secrets.unseal(sealed, context="row 1") == "a secret"
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(sealed, context="row 2")
    assert secrets.seal("a secret", context="row 1") != sealed


@pytest.mark.parametrize("position", [0, 11, 12, -1])
def test_a_changed_byte_breaks_the_seal(position: int) -> None:
    sealed = bytearray(secrets.seal("a secret", context="row 1"))
    sealed[position] ^= 1
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(bytes(sealed), context="row 1")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 20])
def test_what_is_cut_short_is_a_broken_seal(length: int) -> None:
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(secrets.seal("a secret", context="row 1")[:length], context="row 1")


def test_a_secret_sealed_under_another_key_does_not_open(settings: Any) -> None:
    sealed = secrets.seal("a secret", context="row 1")
    settings.SECRETS_KEY = bytes(32)
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(sealed, context="row 1")


@pytest.mark.parametrize(("mode", "prefix"), [(Merchant.Mode.LIVE, "mk_live_"), (Merchant.Mode.TEST, "mk_test_")])
def test_an_issued_key_is_found_and_its_secret_read_again(db: None, mode: str, prefix: str) -> None:
    issued = keys.issue(make.merchant(mode=mode), api="merchant")
    found = keys.find(issued.key.key_id, api="merchant")
    assert found == issued.key
    assert found.key_id.startswith(prefix)
    assert keys.secret_of(found) == issued.secret
    assert issued.secret.encode() not in bytes(found.secret_sealed)


def test_a_key_belongs_to_one_api(merchant: Merchant) -> None:
    issued = keys.issue(merchant, api="merchant")
    assert keys.find(issued.key.key_id, api="public") is None
    assert keys.find(issued.key.key_id.upper(), api="merchant") is None


def test_a_secret_moved_to_another_key_does_not_open(merchant: Merchant) -> None:
    """Who can write the table still cannot make one key work with another's secret."""
    mine, other = keys.issue(merchant, api="merchant"), keys.issue(make.merchant(), api="merchant")
    ApiKey.objects.filter(id=other.key.id).update(secret_sealed=mine.key.secret_sealed)
    with pytest.raises(secrets.SealBroken):
        keys.secret_of(ApiKey.objects.get(id=other.key.id))


def test_a_nonce_works_once_per_key(merchant: Merchant) -> None:
    one, two = (keys.issue(merchant, api="merchant").key for _ in range(2))
    assert nonces.first_use(one, "n", now=make.now())
    assert not nonces.first_use(one, "n", now=make.now())
    assert nonces.first_use(one, "m", now=make.now())
    assert nonces.first_use(two, "n", now=make.now())


def test_nonces_are_remembered_longer_than_a_timestamp_is_good(merchant: Merchant) -> None:
    key, now = keys.issue(merchant, api="merchant").key, make.now()
    nonces.first_use(key, "n", now=now)
    assert not nonces.first_use(key, "n", now=now + timedelta(seconds=2 * 300))
    assert nonces.first_use(key, "m", now=now + timedelta(hours=1))
    assert Nonce.objects.count() == 1


def test_of_twenty_uses_of_a_nonce_at_once_one_is_the_first(committed: Database) -> None:
    key, now = keys.issue(make.merchant(), api="merchant").key, make.now()
    firsts: list[bool] = []
    at_once([lambda: firsts.append(nonces.first_use(key, "n", now=now))] * 20)
    assert sorted(firsts) == [False] * 19 + [True]
