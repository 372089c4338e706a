"""What the seals show of a forger who has the owner's role, and what only an anchor shows of him."""

# ruff: noqa: S608 - statements made of these tests' own words

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from ledger import audit, seal_audit, seals, verify
from ledger.posting import Kind
from tests import databases
from tests.ledger.books import Book, funded
from tests.ledger.forgery import CLOSE, OPEN, history
from tests.ledger.sealing import NOON, blocks, chain_problems, newest_hash, seal

OPEN_BLOCKS = """
    ALTER TABLE ledger_block DISABLE TRIGGER block_append_only;
    ALTER TABLE ledger_anchor DISABLE TRIGGER anchor_append_only;
    ALTER TABLE ledger_block DROP CONSTRAINT block_hash_from_parts;
    ALTER TABLE ledger_block DROP CONSTRAINT block_is_a_stretch;
"""
CLOSE_BLOCKS = """
    ALTER TABLE ledger_block ENABLE ALWAYS TRIGGER block_append_only;
    ALTER TABLE ledger_anchor ENABLE ALWAYS TRIGGER anchor_append_only;
"""
LOOKALIKES = """
    ALTER TABLE ledger_block ADD CONSTRAINT block_hash_from_parts CHECK (true);
    ALTER TABLE ledger_block ADD CONSTRAINT block_is_a_stretch CHECK (true);
"""
ANOTHER_EVENT = "its events are not those that it sealed"
COLUMNS = {
    "book": "gen_random_uuid()",
    "id": "gen_random_uuid()",
    "txn": "gen_random_uuid()",
    "kind": "'TRANSFER'",
    "source": "gen_random_uuid()",
    "target": "gen_random_uuid()",
    "amount": "amount + 1",
    "source_seq": "source_seq + 1000",
    "target_seq": "target_seq + 1000",
    "source_balance": "source_balance + 1",
    "target_balance": "target_balance + 1",
    "reference": "reference || ' '",
    "request_hash": "sha256(request_hash)",
    "data": """data || '{"fee": 0}'""",
    "at": "at + interval '1 microsecond'",
    "xid": "(SELECT min(other.xid) FROM ledger_event AS other WHERE other.xid <> ledger_event.xid)",
}
BLOCK_COLUMNS = {
    "number": "number + 100",
    "previous": "sha256(previous)",
    "xid_from": "(xid_from::text::bigint + 1)::text::xid8",
    "xid_to": "(xid_to::text::bigint - 1)::text::xid8",
    "xid_next": "(xid_next::text::bigint + 1)::text::xid8",
    "events": "events + 1",
    "events_total": "events_total + 1",
    "root": "sha256(root)",
    "sealed_at": "sealed_at + interval '1 microsecond'",
    "hash": "sha256(hash)",
}


@pytest.fixture(scope="module")
def book(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Book]:
    """A database with four blocks; nobody changes it for good."""
    with databases.clone("sealed") as database, django_db_blocker.unblock(), databases.used(database):
        book = history()
        for _ in range(10):
            book.post(Kind.FREEZE, 3)
        seal(limit=5)
        yield book
        connection.close()


@pytest.fixture
def owner(book: Book, owner_inside: psycopg.Connection) -> psycopg.Connection:
    assert len(blocks()) == 4
    return owner_inside


def forge(owner: psycopg.Connection, *statements: str) -> None:
    """Do it with every trigger out of the way, and put them back."""
    owner.execute(OPEN)
    owner.execute(OPEN_BLOCKS)
    for statement in statements:
        assert owner.execute(statement).rowcount > 0
    owner.execute(CLOSE)
    owner.execute(CLOSE_BLOCKS)


def problems(anchors: seal_audit.Anchors | None = None) -> list[str]:
    """What the seals say, without what the other checks of prove() say."""
    said = [problem for problem in audit.prove(anchors=anchors).problems if problem.startswith("block ")]
    assert sorted(said) == sorted(seal_audit.check(anchors).problems)
    return said


def event(number: int) -> str:
    """The event of the tampered book at that place in the order of the seals, from 0."""
    return f"ctid = (SELECT ctid FROM ledger_event ORDER BY xid, book, id OFFSET {number} LIMIT 1)"


def test_the_example_holds(owner: psycopg.Connection, tmp_path: Path) -> None:
    anchors = [(block.number, bytes(block.hash).hex()) for block in blocks()]

    assert audit.prove(anchors=anchors).problems == []
    assert "4 anchors read back and compared" in audit.prove(anchors=anchors).lines
    assert chain_problems(tmp_path, newest_hash()) == []


def test_every_column_is_tried() -> None:
    assert tuple(COLUMNS) == verify.COLUMNS
    assert set(BLOCK_COLUMNS) == {*verify.PARTS, "hash"}


@pytest.mark.parametrize("number", [0, 7, 17], ids=["first", "middle", "last"])
@pytest.mark.parametrize("column", COLUMNS)
def test_one_column_of_one_event_changed_is_seen_in_its_block(
    owner: psycopg.Connection, column: str, number: int, tmp_path: Path
) -> None:
    value = "'1'" if column == "xid" and number == 0 else COLUMNS[column]
    forge(owner, f"UPDATE ledger_event SET {column} = {value} WHERE {event(number)}")

    place = 1 + number // 5
    if column == "xid" and number >= 5:
        assert problems() == [
            "block 1: sealed 5 events, there are 6",
            f"block {place}: sealed {blocks()[place - 1].events} events, there are {blocks()[place - 1].events - 1}",
        ]
    else:
        assert problems() == [f"block {place}: {ANOTHER_EVENT}"]
    assert chain_problems(tmp_path, newest_hash())


@pytest.mark.parametrize("number", [0, 7, 17], ids=["first", "middle", "last"])
def test_a_removed_event_is_seen(owner: psycopg.Connection, number: int) -> None:
    forge(owner, f"DELETE FROM ledger_event WHERE {event(number)}")

    block = blocks()[number // 5]
    assert problems() == [f"block {block.number}: sealed {block.events} events, there are {block.events - 1}"]


def test_an_event_put_in_the_place_of_another_is_seen(owner: psycopg.Connection) -> None:
    forge(owner, f"UPDATE ledger_event SET id = gen_random_uuid(), reference = 'other' WHERE {event(7)}")

    assert problems() == [f"block 2: {ANOTHER_EVENT}"]


def test_two_events_swapped_in_the_order_are_seen(owner: psycopg.Connection) -> None:
    forge(
        owner,
        f"""
        UPDATE ledger_event AS event SET xid = other.xid
        FROM (SELECT * FROM ledger_event WHERE {event(6)} OR {event(7)}) AS other
        WHERE event.id IN (SELECT id FROM ledger_event WHERE {event(6)} OR {event(7)}) AND event.id <> other.id
        """,
    )

    assert problems() == [f"block 2: {ANOTHER_EVENT}"]


def test_an_event_slipped_in_below_the_newest_block_is_seen(owner: psycopg.Connection) -> None:
    forge(
        owner,
        f"""
        INSERT INTO ledger_event (book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance,
                                  target_balance, reference, request_hash, data, at, xid)
        SELECT book, gen_random_uuid(), txn, kind, source, target, amount, source_seq + 1000, target_seq + 1000,
               source_balance, target_balance, reference, request_hash, data, at, xid
        FROM ledger_event WHERE {event(7)}
        """,
    )

    assert problems() == ["block 2: sealed 5 events, there are 6"]


@pytest.mark.parametrize("number", [1, 2, 4], ids=["first", "middle", "last"])
@pytest.mark.parametrize("column", BLOCK_COLUMNS)
def test_one_column_of_one_block_changed_is_seen(owner: psycopg.Connection, column: str, number: int) -> None:
    forge(owner, f"UPDATE ledger_block SET {column} = {BLOCK_COLUMNS[column]} WHERE number = {number}")

    assert any("its hash is not the hash of its parts" in problem for problem in problems())
    assert any("block_hash_from_parts is not there" in problem for problem in audit.prove().problems)


HASH = "ledger_block_hash(number, previous, xid_from, xid_to, xid_next, events, events_total, {root}, {sealed_at})"


@pytest.mark.parametrize("number", [1, 2, 3], ids=["first", "middle", "last but one"])
def test_a_block_changed_with_its_hash_is_seen_by_the_next(owner: psycopg.Connection, number: int) -> None:
    later = "sealed_at + interval '1 day'"
    hash_ = HASH.format(root="root", sealed_at=later)
    forge(owner, f"UPDATE ledger_block SET sealed_at = {later}, hash = {hash_} WHERE number = {number}")

    (problem,) = problems()
    assert problem.startswith(f"block {number + 1}: its previous is ")


def test_the_newest_block_changed_with_its_hash_is_seen_by_its_root_or_its_anchor(owner: psycopg.Connection) -> None:
    anchors = [(4, newest_hash())]
    root = HASH.format(root="sha256(root)", sealed_at="sealed_at")
    forge(owner, f"UPDATE ledger_block SET root = sha256(root), hash = {root} WHERE number = 4")

    assert problems() == [f"block 4: {ANOTHER_EVENT}"]
    assert len(problems(anchors)) == 2


@pytest.mark.parametrize("number", [1, 2, 3], ids=["first", "middle", "last but one"])
def test_a_removed_block_is_seen_by_the_next(owner: psycopg.Connection, number: int) -> None:
    forge(owner, f"DELETE FROM ledger_block WHERE number = {number}")

    assert {problem.partition(" is ")[0] for problem in problems()} >= {
        f"block {number + 1}: its {part}" for part in ("number", "previous", "xid_from", "events_total")
    }


CUT = """
    DELETE FROM ledger_event WHERE xid >= (SELECT xid_from FROM ledger_block WHERE number = 4)
"""
FOLLOW = """
    UPDATE ledger_account AS account SET (balance, seq) = (
        SELECT coalesce(sum(CASE account.id WHEN source THEN -amount ELSE amount END), 0), count(*)
        FROM ledger_event AS event WHERE event.book = account.book AND account.id IN (source, target))
"""


def test_the_end_cut_off_is_seen_by_the_anchor_alone(owner: psycopg.Connection, tmp_path: Path) -> None:
    trusted = newest_hash()
    forge(owner, CUT, FOLLOW, "DELETE FROM ledger_block WHERE number = 4")
    owner.execute(LOOKALIKES)

    assert audit.prove().problems == []
    assert chain_problems(tmp_path) == []
    assert audit.prove(anchors=[(2, "0x" + bytes(blocks()[1].hash).hex())]).problems == []
    assert problems([(4, trusted)]) == ["block 4: is anchored and not here: the chain's end was cut off"]
    assert chain_problems(tmp_path, trusted) == [
        f"no block has the hash {trusted}: the chain is another one, or its end was cut off"
    ]


def test_a_history_written_anew_with_all_its_blocks_is_seen_by_the_anchor_alone(
    owner: psycopg.Connection, tmp_path: Path
) -> None:
    trusted = newest_hash()
    forge(
        owner,
        f"UPDATE ledger_event SET at = at - interval '1 day' WHERE {event(7)}",
        "DELETE FROM ledger_block WHERE number >= 2",
    )
    owner.execute(LOOKALIKES)
    assert seals.seal_due(now=NOON, limit=5) == 13

    assert audit.prove().problems == []
    assert chain_problems(tmp_path) == []
    assert audit.prove(anchors=[(1, bytes(blocks()[0].hash).hex())]).problems == []
    assert problems([(4, trusted)]) == [f"block 4: is anchored with the hash {trusted}, here it has another"]
    assert chain_problems(tmp_path, trusted) != []


def test_an_anchor_that_is_written_down_and_not_found_is_named(owner: psycopg.Connection) -> None:
    seals.anchored(3, network="tron", txid="ab" * 32, now=NOON)

    assert problems() == []
    assert problems([(3, bytes(blocks()[2].hash).hex())]) == []
    assert problems([]) == [f"block 3: its anchor in {'ab' * 32} on tron was not found there"]


def test_a_door_that_seals_something_else_is_seen(owner: psycopg.Connection) -> None:
    funded(5)
    owner.execute("CREATE OR REPLACE FUNCTION ledger_merkle_root(p_leaves bytea) RETURNS bytea LANGUAGE sql"
                  " AS 'SELECT sha256(p_leaves)'")  # fmt: skip
    owner.execute(OPEN_BLOCKS)
    owner.execute("DELETE FROM ledger_block WHERE number = 4")
    assert seals.seal_due(now=NOON) == 3

    assert problems() == [f"block 4: {ANOTHER_EVENT}"]


def test_a_function_that_tells_the_old_text_of_a_changed_event_deceives_nobody(owner: psycopg.Connection) -> None:
    (text,) = owner.execute("SELECT pg_get_functiondef('ledger_sealed_text'::regproc)").fetchone() or ("",)
    lying = text.replace("p_amount, p_source_seq", "p_amount - 1, p_source_seq", 1)
    assert lying != text
    owner.execute(lying)
    forge(owner, f"UPDATE ledger_event SET amount = amount + 1 WHERE {event(7)}")

    assert problems() == [f"block 2: {ANOTHER_EVENT}"]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("ALTER TABLE ledger_block DISABLE TRIGGER ALL", "the trigger block_append_only"),
        ("ALTER TABLE ledger_anchor ENABLE TRIGGER anchor_append_only", "the trigger anchor_append_only"),
        ("ALTER TABLE ledger_block DROP CONSTRAINT ledger_block_pkey", "the constraint ledger_block_pkey"),
        ("ALTER TABLE ledger_block DROP CONSTRAINT block_follows_once", "the constraint block_follows_once"),
        ("ALTER TABLE ledger_block DROP CONSTRAINT block_ends_once", "the constraint block_ends_once"),
        ("ALTER TABLE ledger_block DROP CONSTRAINT block_hash_from_parts", "the constraint block_hash_from_parts"),
        ("ALTER TABLE ledger_block DROP CONSTRAINT block_is_a_stretch", "the constraint block_is_a_stretch"),
        ("GRANT INSERT ON ledger_block TO sluice_app", "sluice_app may write to ledger_block"),
        ("GRANT DELETE ON ledger_anchor TO PUBLIC", "sluice_app may write to ledger_anchor"),
    ],
)
def test_a_guard_of_the_seals_that_was_taken_away_is_missed(
    owner: psycopg.Connection, statement: str, says: str
) -> None:
    owner.execute(statement)

    assert any(problem.startswith(says) for problem in audit.prove().problems)
