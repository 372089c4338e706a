"""Nodes that skip blocks, repeat them, hide or invent what came in: none is believed, and the liar is put aside."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import following, gateway, networks
from chain.models import EndpointHealth, Follower
from chain.token_abi import TRANSFER_TOPIC
from tests.chain import labs, proxy
from tests.chain.payers import COINS, Customers, rows

pytestmark = [pytest.mark.django_db, pytest.mark.chains]
BLOCKS, INFOS = "wallet/getblockbylimitnext", "wallet/gettransactioninfobyblocknum"
Lie = Callable[[proxy.Proxy], None]
MUCH = "0x" + f"{10**30:064x}"


def _logs(change: Callable[[list[Any]], list[Any]]) -> Lie:
    return lambda lying: lying.alter("eth_getLogs", change)


def _other_height(by: int) -> Lie:
    """The block beside the one that was asked for, from some height on."""

    def spoil(call: proxy.Call) -> Any:
        if call.arguments[0].startswith("0x") and call.arguments[1]:
            call.arguments[0] = hex(int(call.arguments[0], 16) + by)
        return call.forward()

    return lambda lying: lying.spoil("eth_getBlockByNumber", spoil)


def _richer(block: Any) -> Any:
    entries = [one | {"value": hex(10**30)} if isinstance(one, dict) else one for one in block["transactions"]]
    return block | {"transactions": entries}


def _tron_blocks(change: Callable[[list[Any]], list[Any]]) -> Lie:
    return lambda lying: lying.alter(BLOCKS, lambda told: {"block": change(told.get("block", []))})


def _tron_logs(**changes: Any) -> Lie:
    def change(infos: list[Any]) -> list[Any]:
        return [
            info | {"log": [log | changes if log["topics"][0] == TRANSFER_TOPIC.hex() else log for log in info["log"]]}
            if info.get("log")
            else info
            for info in infos
        ]

    return lambda lying: lying.alter(INFOS, change)


def _generous(blocks: list[Any]) -> list[Any]:
    for block in blocks:
        for entry in block.get("transactions", []):
            entry["raw_data"]["contract"][0]["parameter"]["value"]["amount"] = 10**15
    return blocks


# fmt: off
LIES: dict[str, dict[str, Lie]] = {
    "ethereum": {
        "hides":   _logs(lambda _logs: []),
        "invents": _logs(lambda logs: [log | {"data": MUCH} for log in logs]),
        "doubles": _logs(lambda logs: [*logs, *(log | {"logIndex": "0xff"} for log in logs)]),
        "skips":   _other_height(+1),
        "repeats": _other_height(-1),
        "values":  lambda lying: lying.alter("eth_getBlockByNumber", _richer),
    },
    "tron": {
        "hides":   _tron_logs(topics=[]),
        "invents": _tron_logs(data=MUCH[2:]),
        "doubles": lambda lying: lying.alter(INFOS, lambda infos: [*infos, *infos]),
        "skips":   _tron_blocks(lambda blocks: blocks[:-1]),
        "repeats": _tron_blocks(lambda blocks: [*blocks[:1], *blocks[:-1]]),
        "values":  _tron_blocks(_generous),
    },
}
SEEN_THROUGH_ALONE = {"ethereum": ("skips", "repeats"), "tron": ("doubles", "skips", "repeats")}
# fmt: on


@pytest.fixture
def three(lab: labs.Lab, settings: Settings) -> Iterator[list[proxy.Proxy]]:
    """Three proxies before the same node, all of them configured."""
    with ExitStack() as stack:
        proxies = [stack.enter_context(proxy.before(lab.url)) for _ in range(3)]
        setattr(settings, networks.network(lab.network).urls_setting, [one.url for one in proxies])
        yield proxies


@pytest.mark.parametrize("lie", LIES["tron"])
def test_of_three_nodes_the_one_that_lies_is_put_aside_and_the_truth_comes_in(
    lab: labs.Lab, three: list[proxy.Proxy], lie: str
) -> None:
    customers = Customers(lab)
    LIES[lab.network][lie](three[0])
    liar = three[0].url.removeprefix("http://")
    paid: dict[str, int] = {}
    for blocks in (2, 60):  # at the chain's end, and of what is final for long
        EndpointHealth.objects.update(until=timezone.now())  # it is asked again
        paid |= {customers.pay(7_000_000 + blocks): 7_000_000 + blocks}
        paid |= {customers.pay(9_000 + blocks, asset=COINS[lab.network]): 9_000 + blocks}
        lab.mine(blocks)
        customers.follow()
        assert {txid: units for txid, units, _ in rows()} == paid
        assert set(EndpointHealth.objects.values_list("endpoint", flat=True)) == {liar}
    assert len(rows("CONFIRMED")) == len(paid)


def test_two_nodes_that_tell_it_differently_are_both_not_believed(lab: labs.Lab, three: list[proxy.Proxy]) -> None:
    customers = Customers(lab)
    LIES[lab.network]["invents"](three[0])
    three[2].spoil("*", proxy.silent)
    customers.pay()
    lab.mine(40)
    with pytest.raises(gateway.ChainError):
        customers.follow()
    assert following.look(lab.network, ours=customers.ours, now=timezone.now()) == following.Followed()
    assert rows() == []


@pytest.mark.parametrize("far", [False, True])
def test_a_node_that_is_alone_and_skips_or_repeats_is_not_believed_and_nothing_is_lost(
    lab: labs.Lab, three: list[proxy.Proxy], settings: Settings, *, far: bool
) -> None:
    setattr(settings, networks.network(lab.network).urls_setting, [three[0].url])
    customers = Customers(lab)
    began = Follower.objects.get().number
    txid = customers.pay(7_000_000)
    lab.mine(60 if far else 2)
    for lie in SEEN_THROUGH_ALONE[lab.network]:
        LIES[lab.network][lie](three[0])
        with pytest.raises(gateway.ChainError):
            customers.follow()
        assert (rows(), Follower.objects.get().number) == ([], began)
        three[0].behave()
    customers.follow()
    assert [(one, units) for one, units, _ in rows()] == [(txid, 7_000_000)]
