"""The schedule is a pure function of its seed, and breaks nothing beyond what the chains call final."""

import pytest

from chain import networks
from tests.chaos import faults, orders, schedule

CHAINS = ("ethereum", "tron")
LONG_S = 180.0


def planned(seed: int, *, chains: tuple[str, ...] = CHAINS, duration_s: float = LONG_S) -> list[schedule.Fault]:
    return schedule.plan(seed, chains, duration_s=duration_s)


@pytest.mark.parametrize("seed", range(20))
def test_a_seed_replays_its_schedule_and_its_orders(seed: int) -> None:
    assert planned(seed) == planned(seed)
    assert planned(seed) != planned(seed + 1)
    wanted = orders.orders(seed, CHAINS, each=50, within_s=60)
    assert wanted == orders.orders(seed, CHAINS, each=50, within_s=60)
    assert len({order.to for order in wanted}) == len({order.amount_units for order in wanted}) == len(wanted) == 100


def test_the_first_seeds_schedule_is_what_it_was() -> None:
    first = planned(1)[:3]
    assert [(fault.at_s, fault.name, fault.size) for fault in first] == FIRST


FIRST = [(3.25, "kill signer", 1), (5.83, "tron expiry", 63), (7.81, "kill beat", 1)]


@pytest.mark.parametrize("seed", range(20))
def test_a_long_schedule_has_every_kind_everywhere_in_its_bounds(seed: int) -> None:
    plan = planned(seed)
    places = {(kind.name, where) for kind in schedule.KINDS.values() for where in kind.where}
    assert {(fault.kind, fault.network) for fault in plan} == places
    assert [fault.at_s for fault in plan] == sorted(fault.at_s for fault in plan)
    for fault in plan:
        least, most = schedule.KINDS[fault.kind].sizes
        assert least <= fault.size <= most
        assert 0 <= fault.at_s <= LONG_S
        assert 0 <= fault.pick < 1


def test_a_chain_that_does_not_take_part_is_left_alone() -> None:
    assert {fault.network for fault in planned(1, chains=("tron",))} == {schedule.HOUSE, "tron"}


def test_no_reorganisation_reaches_what_is_final() -> None:
    deepest = schedule.KINDS["reorg"].sizes[1]
    assert deepest < min(networks.network(name).confirmations for name in CHAINS)


def test_every_kind_is_done_somehow() -> None:
    assert faults.DOES.keys() == schedule.KINDS.keys()
