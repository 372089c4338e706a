"""Invariant 7: losing Redis, PostgreSQL, the worker or the signer at any moment loses nothing and pays once."""

import functools
import secrets
from pathlib import Path

import pytest

from chain import addresses, networks
from chain.devnet import seed
from config.local import record
from payouts.demo.program import Away, Program
from tests.flows import house

pytestmark = [pytest.mark.chains, pytest.mark.timeout(400)]
VICTIMS = (("worker", "tron"), ("signer", "ethereum"), ("redis", "tron"), ("postgres", "ethereum"))
AMOUNT, ARRIVES_UNITS = "25", 24_000_000
FINAL = ("COMPLETED", "FAILED", "CANCELLED", "REJECTED")
UNDER_WAY = ("PROCESSING", *FINAL)
POLITE_S = 1.1  # the API takes 60 calls a minute


def test_whatever_is_killed_during_processing_the_withdrawal_completes_once(tmp_path: Path) -> None:
    with house.standing(tmp_path) as home, home.program() as program:
        paid = {}
        for victim, network in VICTIMS:
            address = addresses.from_bytes(network, secrets.token_bytes(20))
            staged = home.python("-m", "tests.flows.stage", home.sandbox["merchant_id"], network, address, AMOUNT)
            assert staged.returncode == 0, staged.stderr
            path = f"/v1/withdrawals/{staged.stdout}"
            house.until(functools.partial(_is, program, path, *UNDER_WAY), what="PROCESSING", poll_s=POLITE_S)
            home.kill_nine(victim)
            ended = f"an end after kill -9 of {victim}"
            done = house.until(functools.partial(_is, program, path, *FINAL), what=ended, poll_s=POLITE_S)
            assert done == "COMPLETED"
            paid[address] = network
        for address, network in paid.items():
            assert _balance(home, network, address) == ARRIVES_UNITS
        proof = home.manage("prove")
        assert proof.returncode == 0, proof.stdout + proof.stderr


def _is(program: Program, path: str, *wanted: str) -> str | None:
    """The status once it is a wanted one; a web that is away for a moment is asked again."""
    try:
        status = str(program.get(path)["status"])
    except Away:
        return None
    return status if status in wanted else None


def _balance(home: house.House, network: str, address: str) -> int:
    row = networks.network(network)
    url = record.published(home.data_dir)[row.urls_setting]
    return seed.balance_of(url, row.family, row.tokens["USDT"].contract, address)
