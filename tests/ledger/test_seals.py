"""The sealer: everything that is committed, once, in the order of transactions, whoever else is at work."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from ledger import audit, export, posting, seals, verify
from ledger.models import Anchor, Block, Event
from ledger.posting import JSON, Kind
from tests.databases import Database
from tests.ledger.books import Book, funded, new_id
from tests.ledger.sealing import (
    NOON,
    block_of,
    blocks,
    chain_problems,
    elsewhere,
    exported,
    newest_hash,
    open_transaction,
    seal,
    seal_now,
    settle,
)

HARD_TEXTS = ['a\tb\n\r"c"\\', "\x01\x02\x1f\x7f", "ü€𐍈\u2028", "\\.", ""]


def many(book: Book, count: int) -> None:
    for _ in range(count):
        book.post(Kind.FREEZE, 1)


def test_every_event_is_in_one_block_and_the_blocks_follow_one_another(committed: Database) -> None:
    many(funded(100), 11)

    assert seal(limit=5) == 12
    assert [block.events for block in blocks()] == [5, 5, 2]
    assert [block.events_total for block in blocks()] == [5, 10, 12]
    assert verify.link_problems(map(seals.header, blocks()), after=verify.BEFORE_ALL) == []
    assert [block.sealed_at for block in blocks()] == [NOON] * 3
    assert audit.prove().problems == []
    assert "3 blocks: chained by hash, 12 events lead to their roots; 0 events not sealed yet" in audit.prove().lines


def test_it_is_known_since_when_the_oldest_event_waits_for_its_seal(committed: Database) -> None:
    many(funded(100), 3)
    oldest = Event.objects.order_by("xid").first()
    assert oldest
    assert seals.oldest_unsealed_at() == oldest.at
    seal()
    assert seals.oldest_unsealed_at() is None
    funded(100)
    late = Event.objects.get(source_seq=1, kind=Kind.DEPOSIT, xid__gt=oldest.xid)
    assert seals.oldest_unsealed_at() == late.at


def test_sealing_again_changes_nothing(committed: Database) -> None:
    assert seal() == 0
    funded(100)
    assert (seal(), seal()) == (1, 0)
    assert len(blocks()) == 1
    funded(100)
    assert audit.prove().lines[-1].endswith("1 events not sealed yet")


def test_a_transaction_is_never_divided(committed: Database) -> None:
    book = funded(100)
    posting.post([book.movement(Kind.FREEZE, 1) for _ in range(8)])
    many(book, 3)

    assert seal(limit=4) == 12
    assert [block.events for block in blocks()] == [9, 3]


def test_a_sweep_ends_and_the_next_one_goes_on(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BLOCKS_PER_SWEEP", 2)
    many(funded(100), 11)

    assert [seal(limit=3) for _ in range(3)] == [6, 6, 0]


def test_a_clock_that_goes_back_does_not_stop_the_sealer(committed: Database) -> None:
    book = funded(100)
    seal()
    many(book, 1)
    settle()
    seals.seal_due(now=NOON - timedelta(hours=1))

    assert [block.sealed_at for block in blocks()] == [NOON, NOON]


def test_nothing_is_sealed_while_an_earlier_transaction_is_open(committed: Database) -> None:
    book, other = funded(100), funded(100)
    assert seal() == 2
    with open_transaction(book) as finish:
        late = other.post(Kind.FREEZE, 1)
        assert seal_now() == 0
        finish.set()
    assert seal() == 2
    assert block_of(Event.objects.get(id=late.id)) == 2
    assert audit.prove().problems == []


def test_what_commits_late_is_not_skipped(committed: Database) -> None:
    early, late, other = funded(100), funded(100), funded(100)
    with open_transaction(early) as first:
        with open_transaction(late) as second:
            first.set()
            other.post(Kind.FREEZE, 1)
            seal_now()
            sealed = {event.id for event in Event.objects.all() if block_of(event)}
            second.set()
        assert len(sealed) <= 4
    seal()
    assert sum(block.events for block in blocks()) == Event.objects.count() == 6
    assert audit.prove().problems == []


def test_a_transaction_does_not_seal_what_it_posted_itself(committed: Database) -> None:
    book = funded(100)
    settle()
    with transaction.atomic():
        book.post(Kind.FREEZE, 1)
        with transaction.atomic():
            book.post(Kind.FREEZE, 1)
        assert seal_now() == 1
    assert seal() == 2
    assert audit.prove().problems == []


def test_a_rolled_back_transaction_leaves_no_hole(committed: Database) -> None:
    book = funded(100)
    with transaction.atomic():
        book.post(Kind.FREEZE, 1)
        transaction.set_rollback(True)
    book.post(Kind.FREEZE, 1)

    assert seal() == 2
    assert audit.prove().problems == []


def test_an_account_may_be_sealed_before_its_earlier_event_and_the_verifier_waits(
    committed: Database, tmp_path: Path
) -> None:
    book = funded(100)
    with ExitStack() as stack:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")  # the lowest number, the last to post
            between = stack.enter_context(open_transaction(Book(), None))
            elsewhere(lambda: book.post(Kind.FREEZE, 1))
            late = book.post(Kind.FREEZE, 1)
        settle(Event.objects.get(id=late.id).xid)
        assert seal_now() == 2
        problems, looked, _ = verify.chain_problems(exported(tmp_path), None)
        assert problems == []
        assert "2 of them with earlier events that no block holds yet" in looked
        between.set()
    assert seal() == 1
    problems, looked, _ = verify.chain_problems(exported(tmp_path), newest_hash())
    assert problems == []
    assert " 0 of them with earlier events" in looked


def test_many_sealers_and_writers_at_once_make_one_chain_without_a_gap(committed: Database, tmp_path: Path) -> None:
    books = [funded(10_000) for _ in range(6)]
    stop = threading.Event()

    def write(book: Book) -> None:
        try:
            for number in range(40):
                with transaction.atomic():
                    book.post(Kind.FREEZE, 1)
                    if number % 8 == 0:
                        stop.wait(0.05)  # long transactions among short ones
        finally:
            connection.close()

    def keep_sealing() -> int:
        try:
            sealed = 0
            while not stop.is_set():
                sealed += seal_now(limit=7)
            return sealed
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        sealers = [pool.submit(keep_sealing) for _ in range(4)]
        list(pool.map(write, books))
        stop.set()
        sealed = sum(sealer.result() for sealer in sealers) + seal()

    assert sealed == Event.objects.count() == 6 * 41
    numbers = [block.number for block in blocks()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 5
    assert audit.prove().problems == []
    assert chain_problems(tmp_path, newest_hash()) == []


def test_while_one_sealer_is_at_work_another_leaves_it_to_him(committed: Database) -> None:
    funded(100)
    settle()
    with psycopg.connect(committed.web_url) as other:
        assert other.execute("SELECT count(*) FROM ledger_seal(5, now())").fetchone() == (1,)
        assert seal_now() == 0
    assert seal() == 0
    assert len(blocks()) == 1


def test_a_restored_database_that_numbers_from_the_start_is_refused_and_named(
    committed: Database, owner: psycopg.Connection
) -> None:
    funded(100)
    seal()
    owner.execute("""
        WITH far AS (
            SELECT number + 1 AS number, hash AS previous, xid_to AS xid_from, '9000000000'::xid8 AS xid_to,
                   '9000000000'::xid8 AS xid_next, 1::bigint AS events, events_total + 1 AS total, root, sealed_at
            FROM ledger_block
        )
        INSERT INTO ledger_block
            (number, previous, xid_from, xid_to, xid_next, events, events_total, root, sealed_at, hash)
        SELECT *, ledger_block_hash(number, previous, xid_from, xid_to, xid_next, events, total, root, sealed_at)
        FROM far
    """)

    with pytest.raises(seals.XidsWentBack, match="numbered below those that block 2 sealed"):
        seal()
    assert any("the database numbers them lower" in problem for problem in audit.prove().problems)


@pytest.mark.parametrize("reference", HARD_TEXTS)
def test_whatever_a_text_holds_the_event_is_proved(committed: Database, tmp_path: Path, reference: str) -> None:
    book = funded(100)
    data: dict[str, JSON] = {text: [text, {"x": 10**30, "y": None}] for text in HARD_TEXTS}
    movement = book.movement(Kind.FREEZE, 1, reference=reference)
    event = posting.post([replace(movement, data=data)])[0]
    many(book, 9)
    seal()

    document = export.event(book.id, event.id)
    assert document["event"]["reference"] == reference
    assert verify.event_problems(document, newest_hash()) == []
    assert audit.prove().problems == []
    assert chain_problems(tmp_path, newest_hash()) == []


def test_every_event_of_a_block_is_proved_by_the_command(committed: Database, tmp_path: Path) -> None:
    book = funded(100)
    many(book, 6)
    seal(limit=4)
    file, said = tmp_path / "event.json", list[str]()
    for event in Event.objects.all():
        told = StringIO()
        call_command("proof", "event", str(event.book), str(event.id), str(file), stdout=told)
        assert newest_hash() in told.getvalue()
        assert verify.main([str(file), "--root", newest_hash()], said.append) == 0
        assert verify.main([str(file), "--root", "00" * 32], said.append) == 1


def test_a_proof_can_end_at_the_block_that_was_anchored(committed: Database) -> None:
    book = funded(100)
    many(book, 8)
    seal(limit=3)
    event = Event.objects.order_by("at").first()
    assert event

    document = export.event(event.book, event.id, through=2)

    assert len(document["blocks"]) == 2
    assert verify.event_problems(document, bytes(blocks()[1].hash).hex()) == []
    assert verify.event_problems(document, newest_hash()) != []


def test_the_command_writes_the_chain_and_names_its_newest_hash(committed: Database, tmp_path: Path) -> None:
    many(funded(100), 8)
    seal(limit=3)
    said = StringIO()
    call_command("proof", "chain", str(tmp_path / "chain.txt"), stdout=said)

    assert f"3 blocks; the hash of block 3 is {newest_hash()}" in said.getvalue()
    assert (tmp_path / "chain.txt").read_bytes() == exported(tmp_path).read_bytes()
    assert verify.main([str(tmp_path / "chain.txt"), "--root", newest_hash()], said.write) == 0


def test_an_event_that_is_not_sealed_or_not_there_has_no_proof(committed: Database, tmp_path: Path) -> None:
    book = funded(100)
    event = book.post(Kind.FREEZE, 1)

    with pytest.raises(CommandError, match="no block holds event"):
        call_command("proof", "event", str(book.id), str(event.id), str(tmp_path / "x"))
    with pytest.raises(CommandError, match="has no event"):
        call_command("proof", "event", str(book.id), str(new_id()), str(tmp_path / "x"))


def test_the_newest_block_is_to_be_anchored_once_on_each_network(committed: Database) -> None:
    assert seals.to_anchor("tron") is None
    many(funded(100), 5)
    seal(limit=3)
    due = seals.to_anchor("tron")
    assert due
    assert due.number == 2

    for _ in range(2):
        seals.anchored(2, network="tron", txid="ab" * 32, now=NOON)

    assert list(Anchor.objects.values_list("block", "network", "txid")) == [(2, "tron", "ab" * 32)]
    assert seals.to_anchor("tron") is None
    assert seals.to_anchor("ethereum")
    with pytest.raises(Block.DoesNotExist):
        seals.anchored(3, network="tron", txid="ab" * 32, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("width", [*range(1, 40), 64, 65, 127, 300])
def test_the_databases_tree_is_the_verifiers(width: int) -> None:
    leaves = [verify.leaf(str(number).encode()) for number in range(width)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_merkle_root(%s)", [b"".join(leaves)])

        assert bytes(cursor.fetchone()[0]) == verify.root(leaves)


@pytest.mark.django_db
def test_a_seal_covers_every_column_that_an_event_has() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger_event'::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        )

        assert tuple(itertools.chain.from_iterable(cursor.fetchall())) == verify.COLUMNS


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_block SELECT * FROM ledger_block",
        "INSERT INTO ledger_anchor VALUES (1, 'tron', 'x', now())",
        "UPDATE ledger_block SET events = events",
        "DELETE FROM ledger_anchor",
        "DROP INDEX event_by_xid",
        "CREATE OR REPLACE FUNCTION ledger_merkle_root(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
        "ALTER FUNCTION ledger_seal SET enable_seqscan = on",
    ],
)
def test_the_application_seals_through_the_door_alone(statement: str) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("table", ["ledger_block", "ledger_anchor"])
def test_even_the_owner_changes_no_block_and_no_anchor(owner: psycopg.Connection, table: str) -> None:
    column = {"ledger_block": "number", "ledger_anchor": "block"}[table]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
        owner.execute(f"UPDATE {table} SET {column} = {column}")  # noqa: S608 - this test's own words


def test_even_the_owner_makes_no_second_successor_and_no_wrong_hash(
    committed: Database, owner: psycopg.Connection
) -> None:
    funded(100)
    seal()
    row = (
        "SELECT number + 1, previous, xid_from, {}, xid_next, events, events_total, root, sealed_at, {}"
        " FROM ledger_block"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="block_hash_from_parts"):
        owner.execute("INSERT INTO ledger_block " + row.format("xid_to", "sha256('')"))
    right = "ledger_block_hash(number + 1, previous, xid_from, {0}, xid_next, events, events_total, root, sealed_at)"
    for edge, constraint in (("xid_to", "block_ends_once"), ("'1'::xid8", "block_follows_once")):
        with pytest.raises(psycopg.errors.UniqueViolation, match=f"block_follows_once|{constraint}"):
            owner.execute("INSERT INTO ledger_block " + row.format(edge, right.format(edge)))
