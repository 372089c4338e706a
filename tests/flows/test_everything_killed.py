"""Invariant 7: Redis emptied and every worker, the signer and beat killed at once: what was open ends as it should."""

import functools
import os
import secrets
from pathlib import Path

import psycopg
import pytest
import redis

from chain import addresses, networks
from chain.devnet import seed
from config.local import record
from tests.flows import house

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]
KILLED = ("worker", "webhooks", "signer", "beat")
NETWORKS = ("ethereum", "tron")
WAVE, WAVES = 5, 3  # of payments on each network; one after the other, so that they are everywhere on their way
AMOUNT, ARRIVES_UNITS = "5", 4_000_000
WITHIN_S = 60.0  # of a quiet machine


def test_whatever_is_open_when_all_are_killed_is_completed_within_a_minute_of_their_return(tmp_path: Path) -> None:
    with house.standing(tmp_path) as home:
        paid = {network: [_address(network) for _ in range(WAVE * WAVES)] for network in NETWORKS}
        for wave in range(WAVES):
            for network in NETWORKS:
                part = paid[network][wave * WAVE : (wave + 1) * WAVE]
                made = home.python("-m", "tests.flows.run", home.sandbox["merchant_id"], network, AMOUNT, *part)
                assert made.returncode == 0, made.stderr
        before = _statuses(home)
        with redis.Redis.from_url(home.env()["REDIS_URL"]) as broker:
            broker.flushall()
        pids = {name: home.pid(name) for name in KILLED}
        for name in KILLED:
            assert home.end(name)
        for name, pid in pids.items():
            house.until(functools.partial(_is_back, home, name, pid), what=f"{name} to be started again")
        slower = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        everything = WAVE * WAVES * len(NETWORKS)
        house.until(
            lambda: _statuses(home) == {"COMPLETED": everything} or None,
            what=f"all to be COMPLETED; they were {before}",
            timeout_s=WITHIN_S * slower,
        )
        for network, recipients in paid.items():
            assert {_balance(home, network, address) for address in recipients} == {ARRIVES_UNITS}
        proof = home.manage("prove")
        assert proof.returncode == 0, proof.stdout + proof.stderr


def _is_back(home: house.House, name: str, pid: int) -> bool | None:
    return home.pid(name) != pid or None


def _address(network: str) -> str:
    return addresses.from_bytes(network, secrets.token_bytes(20))


def _statuses(home: house.House) -> dict[str, int]:
    with psycopg.connect(home.env()["DATABASE_URL"], autocommit=True) as connection:
        return dict(connection.execute("SELECT status, count(*) FROM payouts_withdrawal GROUP BY status").fetchall())


def _balance(home: house.House, network: str, address: str) -> int:
    row = networks.network(network)
    url = record.published(home.data_dir)[row.urls_setting]
    return seed.balance_of(url, row.family, row.tokens["USDT"].contract, address)
