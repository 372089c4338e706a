"""Deposits are read from every block: each comes in once, none that did not stay is confirmed."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from chain import addresses, alarms, following
from chain.arrivals import incoming_id
from chain.models import FollowedBlock, Follower, Incoming
from tests.chain import deposits, labs, steps
from tests.chain.payers import COINS, Customers, rows

pytestmark = pytest.mark.chains


def finalise(customers: Customers) -> None:
    labs.finalise(customers.lab)
    customers.follow()


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["token", "coin"])
def test_what_came_in_is_seen_at_once_and_confirmed_at_the_networks_depth(lab: labs.Lab, what: str) -> None:
    name = COINS[lab.network] if what == "coin" else "USDT"
    customers = Customers(lab)
    txid = customers.pay(7_000_000, asset=name)
    lab.mine()
    customers.follow()
    assert rows() == [(txid, 7_000_000, "SEEN")]
    lab.mine(labs.FINAL[lab.network] - 2)
    customers.follow()
    assert rows() == [(txid, 7_000_000, "SEEN")]
    lab.mine(2)
    customers.follow()
    assert rows() == [(txid, 7_000_000, "CONFIRMED")]
    row = Incoming.objects.get()
    assert (row.asset, row.recipient) == (name, customers.addresses[0])
    assert row.id == incoming_id(lab.network, txid, row.index, at=row.block_at)
    kept = FollowedBlock.objects.values_list("number", flat=True)
    assert min(kept) == Follower.objects.get().final_number, "blocks are kept as long as they are needed"


@pytest.mark.django_db
def test_a_payment_that_failed_on_chain_never_came_in(ethereum: labs.EvmLab) -> None:
    """A reverted transfer has no event; a value that was sent with a failing call came back."""
    customers = Customers(ethereum)
    customers.addresses[0] = ethereum.token
    call = {"from": labs.OWNER, "to": ethereum.token, "value": "0x5", "gas": hex(100_000), "gasPrice": hex(10**11)}
    txid = ethereum.rpc("eth_sendTransaction", call)
    ethereum.mine()
    assert ethereum.rpc("eth_getTransactionReceipt", txid)["status"] == "0x0"
    finalise(customers)
    assert rows() == []


@pytest.mark.django_db
def test_a_token_that_nobody_knows_has_no_asset(ethereum: labs.EvmLab) -> None:
    customers = Customers(ethereum)
    known, ethereum.token = ethereum.token, addresses.from_bytes("ethereum", b"\x42" * 20)
    code = ethereum.rpc("eth_getCode", known, "latest")
    ethereum.rpc("anvil_setCode", ethereum.token, code)
    ethereum.rpc(
        "anvil_setStorageAt", ethereum.token, "0x0", "0x" + bytes.fromhex(labs.OWNER[2:]).rjust(32, b"\0").hex()
    )
    customers.pay()
    finalise(customers)
    assert [(one.asset, one.contract) for one in Incoming.objects.all()] == [("", ethereum.token)]


@pytest.mark.django_db
def test_what_a_reorganisation_took_back_is_forgotten_and_comes_in_again(lab: labs.Lab) -> None:
    customers = Customers(lab)
    customers.pay(1_000_000)
    lab.mine(3)
    customers.follow()
    assert len(rows("SEEN")) == 1
    customers.take_back(3)
    lab.mine(4)
    customers.follow()
    assert rows() == []
    txid = customers.pay(2_000_000)
    lab.mine()
    customers.follow()
    assert rows() == [(txid, 2_000_000, "SEEN")]
    finalise(customers)
    assert rows() == [(txid, 2_000_000, "CONFIRMED")]


@pytest.mark.django_db
def test_after_any_mixture_of_payments_blocks_and_reorganisations_what_stayed_came_in_once(lab: labs.Lab) -> None:
    chance = random.Random(7)
    customers = Customers(lab, number=3)
    unfinal = 0
    for _ in range(40):
        match chance.choice(("pay", "pay", "mine", "mine", "follow", "take_back")):
            case "pay":
                customers.pay(chance.randrange(1, 9_000_000), to=chance.randrange(3))
            case "mine":
                lab.mine(blocks := chance.randrange(1, 4))
                unfinal += blocks
            case "follow":
                customers.follow()
            case _ if unfinal > 4:
                customers.take_back(chance.randrange(1, 5))
                unfinal -= 4
    finalise(customers)
    held = {address: lab.balance(address) for address in customers.addresses}
    came_in = dict.fromkeys(customers.addresses, 0)
    for row in Incoming.objects.filter(state="CONFIRMED"):
        came_in[row.recipient] += row.amount_units
    assert came_in == held
    assert sum(held.values()) > 0
    assert not rows("SEEN")


@pytest.mark.django_db
def test_a_chain_that_left_a_final_block_is_not_believed_until_a_person_looked(lab: labs.Lab) -> None:
    customers = Customers(lab)
    finalise(customers)
    final = Follower.objects.get().final_number
    FollowedBlock.objects.filter(number=final).update(hash="11" * 32)
    Follower.objects.update(number=final, hash="11" * 32)
    customers.pay()
    lab.mine(2)
    for _ in range(2):
        following.look(lab.network, ours=customers.ours, now=timezone.now())
    assert alarms.standing().get(kind="follower.parted").subject == lab.network
    assert rows() == []
    for table in (FollowedBlock, Follower):  # a person has looked, and lets it begin anew
        table.objects.all().delete()
    following.look(lab.network, ours=customers.ours, now=timezone.now())
    assert not alarms.standing().filter(kind="follower.parted").exists()


@pytest.mark.django_db
def test_coin_that_we_send_to_an_address_for_its_fee_is_no_deposit_and_a_payout_to_it_is(lab: labs.Lab) -> None:
    lab.wallet(units=9_000_000)
    customers = Customers(lab)
    customers.addresses = [deposits.address(lab.network, 7)]
    txid = customers.pay(100_000_000)
    finalise(customers)
    deposits.note(lab.network, 7)
    house = deposits.house(lab)
    house.run()
    assert [one.state for one in (*house.top_ups(), *house.tokens())] == ["PAID", "PAID"]
    customers.addresses.append(labs.recipient(lab.network))
    _, payout = steps.signed(steps.payment(lab.network, to=customers.addresses[1], units=2_000_000))
    assert steps.send() == 1
    finalise(customers)
    assert rows() == [(txid, 100_000_000, "CONFIRMED"), (payout.txid, 2_000_000, "CONFIRMED")]


@pytest.mark.django_db
def test_a_long_absence_is_made_up_for_in_large_strides(lab: labs.Lab) -> None:
    customers = Customers(lab)
    txids = []
    for _ in range(4):
        txids.append(customers.pay())
        lab.mine(40)
    labs.finalise(lab)
    found = customers.follow()
    assert (found.blocks, found.is_behind) == (160 + labs.FINAL[lab.network] + 1, False)
    assert [txid for txid, *_ in rows("CONFIRMED")] == txids


def test_followers_at_the_same_time_write_each_thing_once(committed: object, lab: labs.Lab) -> None:
    customers = Customers(lab, number=2)
    together = threading.Barrier(4)
    txids = set()

    def follow(_number: int) -> None:
        try:
            together.wait(30)
            customers.follow()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for turn in range(6):
            txids |= {customers.pay(turn + 1, to=which) for which in range(2)}
            lab.mine(2)
            if turn == 3:
                customers.take_back(1)
            list(pool.map(follow, range(4)))
    finalise(customers)
    assert {txid for txid, *_ in rows("CONFIRMED")} == txids
    assert len(rows()) == len(txids)


@pytest.mark.django_db
def test_what_is_confirmed_never_changes_never_goes_and_is_collected_once(tron: labs.TronLab) -> None:
    customers = Customers(tron)
    customers.pay()
    finalise(customers)
    found = Incoming.objects.filter(state="CONFIRMED")
    for change in ({"amount_units": 1}, {"state": "SEEN"}, {"recipient": "x"}, {"block_hash": "x"}):
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
            found.update(**change)
    found.update(collected_at=timezone.now())
    for again in (None, timezone.now() + timedelta(1)):
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
            found.update(collected_at=again)
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        found.delete()
