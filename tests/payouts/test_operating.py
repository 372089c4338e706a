"""`manage.py chain`: what stands where, stopping and starting, one withdrawal's whole way, all proofs again."""

import json
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from chain.models import HotWallet, Intent, Pause
from payouts import operating, tasks
from payouts.api import dialects
from payouts.withdrawals.models import Status, Withdrawal
from tests import make
from tests.chain import labs
from tests.databases import Database

pytestmark = pytest.mark.chains


@pytest.fixture(autouse=True)
def _bells(redis_clean: str) -> None:
    """Rings go to a Redis of this process's own, where nobody listens."""


def chain(*arguments: str) -> Any:
    out = StringIO()
    call_command("chain", *arguments, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()


def completed(lab: labs.Lab) -> Withdrawal:
    """One withdrawal, paid on that chain by the sweeps."""
    lab.wallet(units=make.usdt("500"))
    book = make.merchant(funds="1000")
    made = make.nodded(book, "100", network=lab.network, destination=labs.recipient(lab.network))
    tasks.dispatch()
    tasks.sign()
    tasks.send()
    labs.finalise(lab)
    tasks.watch()
    tasks.settle()
    done = Withdrawal.objects.get(id=made.id)
    assert done.status == Status.COMPLETED
    return done


@pytest.mark.django_db
def test_a_withdrawals_page_says_at_every_stage_what_it_waits_for(tron: labs.TronLab) -> None:
    book = make.merchant(funds="1000")
    made = make.withdrawal(book, "100", network="tron", destination=labs.recipient("tron"))

    def waits() -> str:
        return operating.waits_for(Withdrawal.objects.get(id=made.id))

    assert "screening" in waits()
    tasks.screen()
    assert waits() == "the first approval"
    nodded = make.nodded(book, "100", network="tron", destination=labs.recipient("tron"))
    tasks.dispatch()
    assert operating.waits_for(nodded).startswith("a lane that can pay: 1 wait")
    tron.wallet(units=make.usdt("500"))
    tasks.dispatch()
    seen = []
    for step in (tasks.sign, tasks.send, tron.mine, tasks.watch):
        seen.append(operating.waits_for(Withdrawal.objects.get(id=nodded.id)))
        step()
    assert seen == ["the signer", "the first sending", "a final block", "a final block"]
    assert operating.waits_for(Withdrawal.objects.get(id=nodded.id)) == "sent, in no solid block yet"
    labs.finalise(tron)
    Intent.objects.update(next_watch_at=make.now())
    tasks.watch()
    assert operating.waits_for(Withdrawal.objects.get(id=nodded.id)) == "the settling sweep"
    tasks.settle()
    assert operating.waits_for(Withdrawal.objects.get(id=nodded.id)) == ""


@pytest.mark.django_db
def test_inspect_takes_an_apis_id_and_shows_the_whole_way_with_the_proof(lab: labs.Lab) -> None:
    done = completed(lab)
    shown = chain("inspect", dialects.DIALECTS[done.api].public_id(done.id), "--json")
    assert (shown["status"], shown["payment"]["state"], shown["payment"]["txid"]) == ("COMPLETED", "PAID", done.txid)
    (attempt,) = shown["payment"]["attempts"]
    assert (attempt["state"], attempt["broadcasts"][0]["accepted"]) == ("LANDED", True)
    assert done.txid in attempt["explorer"]
    assert {"txid", "raw", "receipt", "log", "chain"} == set(shown["payment"]["proof"])
    assert [step["verb"] for step in shown["steps"]] == ["create", "auto_approve", "dispatch", "complete"]
    assert done.txid in chain("inspect", str(done.id))
    with pytest.raises(CommandError, match="no withdrawal"):
        chain("inspect", "wd_nonsense")


@pytest.mark.django_db
def test_status_shows_heads_lanes_open_payments_and_alarms(tron: labs.TronLab, settings: Any) -> None:
    settings.EVM_RPC_URLS = ["http://127.0.0.1:1"]
    wallet = tron.wallet(units=make.usdt("150"))
    book = make.merchant(funds="1000")
    for _ in range(2):
        make.nodded(book, "100", network="tron", destination=labs.recipient("tron"))
    tasks.dispatch()
    said = chain("status", "--json")
    of = {one["network"]: one for one in said["networks"]}
    assert "error" in of["ethereum"]["head"]
    assert of["tron"]["head"]["block"] >= of["tron"]["head"]["final_block"]
    (lane,) = of["tron"]["lanes"]
    usdt = next(one for one in lane["balances"] if one["asset"] == "USDT")
    assert (lane["address"], usdt["held"], usdt["owed"], usdt["free"]) == (
        wallet.address, "150 USDT", "99 USDT", "51 USDT",
    )  # fmt: skip
    assert [one["waits_for"] for one in of["tron"]["open"]] == ["the signer"]
    assert "withdrawals.waiting" in [one["kind"] for one in said["alarms"]]
    assert wallet.address in chain("status", "--network", "tron")


@pytest.mark.django_db
def test_pausing_and_resuming_by_command_says_who_and_why() -> None:
    wallet = make.lane("tron")
    assert "paused since" in chain("pause", "tron", wallet.address, "--by", "ann", "--reason", "audit")
    assert HotWallet.objects.get().paused
    chain("resume", "tron", wallet.address, "--by", "bob", "--reason", "done")
    assert not HotWallet.objects.get().paused
    assert Pause.objects.values_list("by", "reason", "ended_by", "ended_reason").get() == (
        "ann",
        "audit",
        "bob",
        "done",
    )
    for wrong in (("pause", "tron", labs.recipient("tron")), ("pause", "tron", "T1"), ("resume", "tron")):
        with pytest.raises(CommandError):
            chain(*wrong, "--reason", "because")


def test_audit_checks_everything_completed_and_finds_what_was_tampered_with(
    committed: Database, lab: labs.Lab, owner: psycopg.Connection
) -> None:
    done = completed(lab)
    where = ("--network", lab.network)
    assert chain("audit", *where, "--rpc", lab.url, "--json") == {
        "checked": 1, "problems": [], "not_checked": [], "ok": True,
    }  # fmt: skip
    assert chain("audit", *where, "--since", "2999-01-01", "--json")["checked"] == 0
    with pytest.raises(CommandError, match="0 problems, 1 not checked"):
        chain("audit", *where, "--rpc", "http://127.0.0.1:1")
    with pytest.raises(CommandError, match="name it with --network"):
        chain("audit", "--rpc", lab.url)
    owner.execute("ALTER TABLE chain_intent DISABLE TRIGGER intent_kept")
    owner.execute("UPDATE chain_intent SET to_address = %s", [labs.recipient(lab.network)])
    owner.execute("ALTER TABLE payouts_withdrawal DISABLE TRIGGER withdrawal_kept")
    owner.execute("UPDATE payouts_withdrawal SET destination = (SELECT to_address FROM chain_intent)")
    with pytest.raises(CommandError, match="2 problems"):
        chain("audit", *where)
    owner.execute("UPDATE payouts_withdrawal SET destination = %s", [done.destination])
    with pytest.raises(CommandError, match="1 problems"):
        chain("audit", *where)
