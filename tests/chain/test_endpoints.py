"""Several nodes of one network: what is wrong with one of them makes no verdict, and keeps none back for ever."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain import alarms, custody, families, networks, transfers
from chain.gateway import Retryable
from chain.models import BroadcastAttempt, EndpointHealth, Intent, IntentState, SignedAttempt
from tests.chain import labs, lies, proxy, steps

pytestmark = [pytest.mark.django_db, pytest.mark.chains]


@pytest.fixture
def three(lab: labs.Lab, settings: Settings) -> Iterator[list[proxy.Proxy]]:
    """Three proxies before the same node, all of them configured; tests take two where they want two."""
    with ExitStack() as stack:
        proxies = [stack.enter_context(proxy.before(lab.url)) for _ in range(3)]
        configure(lab, settings, proxies)
        yield proxies


def configure(lab: labs.Lab, settings: Settings, proxies: list[proxy.Proxy]) -> None:
    setattr(settings, networks.network(lab.network).urls_setting, [one.url for one in proxies])


def names(*proxies: proxy.Proxy) -> set[str]:
    return {one.url.removeprefix("http://") for one in proxies}


def aside() -> set[str]:
    return set(EndpointHealth.objects.values_list("endpoint", flat=True))


def alarmed() -> set[str]:
    subjects = alarms.standing().filter(kind="endpoint.aside").values_list("subject", flat=True)
    return {subject.partition("/")[2] for subject in subjects}


def time_passes() -> None:
    """Until those that are put aside are tried again."""
    EndpointHealth.objects.update(until=timezone.now(), since=F("since") - timedelta(minutes=1))


def refused_by_the_token(lab: labs.Lab) -> tuple[Intent, SignedAttempt]:
    """A final transaction that paid nothing."""
    wallet = lab.wallet(units=5_000_000)
    lab.blacklist(wallet.address)
    intent, attempt = steps.signed(steps.payment(lab.network))
    assert steps.send() == 1
    lab.mine(lies.MANY + 20)
    return intent, attempt


def test_what_every_node_has_lost_is_sent_again_soon_however_many_nodes_there_are(
    lab: labs.Lab, three: list[proxy.Proxy]
) -> None:
    lab.wallet(units=5_000_000)
    intent, attempt = steps.signed(steps.payment(lab.network))
    waits = []
    for _ in range(6):
        now = max(timezone.now(), intent.next_send_at)
        assert transfers.send_due(now=now, limit=10) == 1
        intent.refresh_from_db()
        waits.append(intent.next_send_at - now)
    assert max(waits) <= timedelta(seconds=15)
    assert waits[1] <= 2 * waits[0]
    assert BroadcastAttempt.objects.filter(attempt=attempt).count() == 6 * len(three)


@pytest.mark.parametrize("lie", lies.LIES, ids=lambda lie: lie.__name__)
def test_of_two_one_bad_endpoint_keeps_the_verdict_back_until_both_say_the_same(
    lab: labs.Lab, three: list[proxy.Proxy], settings: Settings, lie: lies.Lie
) -> None:
    two = three[:2]
    configure(lab, settings, two)
    intent, attempt = refused_by_the_token(lab)
    lie(lab, two[0])
    looked = steps.watch(intent)
    assert (looked.state, looked.last_error[:6]) == (IntentState.OPEN, "watch:")
    assert names(two[0]) <= aside() == alarmed()
    assert EndpointHealth.objects.get(endpoint__in=names(two[0])).fault in lies.LIES[lie]
    assert steps.watch(intent, after_s=60).state == IntentState.OPEN  # put aside, or lying still
    two[0].behave()
    time_passes()
    decided = steps.watch(intent, after_s=120)
    assert (decided.state, decided.txid) == (IntentState.DEAD, attempt.txid)
    assert aside() == alarmed() == set()


@pytest.mark.parametrize("lie", lies.LIES, ids=lambda lie: lie.__name__)
def test_of_three_the_bad_one_is_put_aside_and_the_others_decide(
    lab: labs.Lab, three: list[proxy.Proxy], lie: lies.Lie
) -> None:
    intent, attempt = refused_by_the_token(lab)
    lie(lab, three[0])
    decided = steps.watch(intent)
    assert (decided.state, decided.txid) == (IntentState.DEAD, attempt.txid)
    assert aside() == names(three[0])


def test_what_one_process_put_aside_no_other_asks_until_its_time_is_over(
    lab: labs.Lab, three: list[proxy.Proxy]
) -> None:
    three[0].spoil("*", proxy.unavailable)
    families.gateway(lab.network).head()
    three[0].behave()
    three[0].asked.clear()
    families.gateway(lab.network).head()
    assert three[0].asked == []
    time_passes()
    families.gateway(lab.network).head()
    assert three[0].asked
    assert aside() == set()


def test_a_repeated_fault_keeps_the_moment_of_the_first(lab: labs.Lab, three: list[proxy.Proxy]) -> None:
    three[0].spoil("*", proxy.unavailable)
    families.gateway(lab.network).head()
    time_passes()
    first = EndpointHealth.objects.get()
    families.gateway(lab.network).head()
    again = EndpointHealth.objects.get()
    assert again.since == first.since
    assert again.until > first.until


def test_an_endpoint_that_is_no_longer_configured_is_forgotten(
    lab: labs.Lab, three: list[proxy.Proxy], settings: Settings
) -> None:
    three[0].spoil("*", proxy.unavailable)
    families.gateway(lab.network).head()
    assert alarmed() == names(three[0])
    configure(lab, settings, three[1:])
    families.gateway(lab.network).head()
    assert alarmed() == aside() == set()


def test_a_node_that_is_asked_on_the_side_changes_nobodys_standing(lab: labs.Lab, three: list[proxy.Proxy]) -> None:
    three[0].spoil("*", proxy.unavailable)
    families.gateway(lab.network).head()
    before = aside()
    family = families.FAMILIES[networks.network(lab.network).family]
    assert family(lab.network, [lab.url], timeout_s=5).head()
    with pytest.raises(Retryable):
        family(lab.network, ["http://127.0.0.1:1"], timeout_s=5).head()
    assert aside() == alarmed() == before == names(three[0])


def test_an_endpoint_that_claims_a_head_far_away_puts_no_honest_one_aside(
    lab: labs.Lab, three: list[proxy.Proxy]
) -> None:
    lab.mine(lies.MANY)
    honest = families.gateway(lab.network).head()
    lies.far_ahead(lab, three[0])
    assert families.gateway(lab.network).head() == honest
    assert aside() <= names(three[0])


def test_bytes_go_to_every_endpoint_and_pay_once_though_one_loses_its_reply(
    lab: labs.Lab, three: list[proxy.Proxy]
) -> None:
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent, attempt = steps.signed(wanted)
    name = {"tron": "wallet/broadcasthex", "ethereum": "eth_sendRawTransaction"}[lab.network]
    three[0].spoil(name, proxy.lost, times=1)
    steps.send()
    assert set(BroadcastAttempt.objects.values_list("endpoint", flat=True)) == names(*three)
    assert aside() == names(three[0])
    labs.finalise(lab)
    decided = steps.watch(intent, after_s=60)
    assert (decided.state, decided.txid) == (IntentState.PAID, attempt.txid)
    assert lab.balance(wanted.to_address) == wanted.amount_units


def test_a_false_balance_is_no_custody(lab: labs.Lab, three: list[proxy.Proxy], settings: Settings) -> None:
    configure(lab, settings, three[:2])
    lab.wallet(units=5_000_000)
    lies.richer(lab, three[0])
    with pytest.raises(Retryable):
        custody.held_units(lab.network, "USDT")
    configure(lab, settings, three)
    time_passes()
    assert custody.held_units(lab.network, "USDT").units == 5_000_000


def test_nothing_is_signed_on_a_reference_block_that_only_one_of_two_knows(
    lab: labs.Lab, three: list[proxy.Proxy], settings: Settings
) -> None:
    configure(lab, settings, three[:2])
    lab.wallet(units=5_000_000)
    wanted = steps.payment(lab.network)
    intent = steps.order(wanted)
    lies.other_blocks(lab, three[0])
    assert steps.sign(intent, wanted) is None
    three[0].behave()
    time_passes()
    assert steps.sign(intent, wanted)


def test_one_url_given_twice_is_one_witness(lab: labs.Lab, three: list[proxy.Proxy], settings: Settings) -> None:
    intent, _ = refused_by_the_token(lab)
    configure(lab, settings, [three[0], three[0], three[1]])
    lies.forged_success(lab, three[0])
    assert steps.watch(intent).state == IntentState.OPEN


def test_no_network_is_asked_inside_a_transaction(lab: labs.Lab) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        families.gateway(lab.network).head()
