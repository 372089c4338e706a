"""Proof that the books are right: everything is computed again from the events and compared.

Seals (ledger/seals.py) hold every column of every sealed event. What that cannot show alone: a forger with the owner's
rights who rewrites events, balances *and* all blocks from there on, or cuts off the end of all three. For him there are
the anchors: blocks' hashes that were made public where he cannot write.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from ledger import checks, seal_audit
from ledger.checks import Check

SAMPLE = 20  # so many problems of one check are named, the others counted


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and what does not hold, each problem with its book and its account or event."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.problems


REPLAY = Check(
    says="{} accounts replayed from their events: sequences without gaps, running balances, last balances",
    counts="SELECT count(*) FROM ledger_account",
    # An event leads each of its accounts from (number - 1, balance before) to (number, balance). In a whole history
    # everything between cancels out: the hashes of all ends less those of all beginnings are those of the last ends
    # less those of the first beginnings, if and only if every history is one gapless row from nothing to what its
    # account holds. One sum over everything shows that, in one reading, without sorting or grouping. The hashes are of
    # the book, the account, the number, the balance and a salt that nobody knows beforehand.
    holds="""
        SELECT coalesce((
            SELECT sum(
                (hash_numeric_extended(source_balance, hashint8extended(
                    source_seq, uuid_hash_extended(source, uuid_hash_extended(book, :salt)))) >> 2)
                - (hash_numeric_extended(source_balance + amount, hashint8extended(
                    source_seq - 1, uuid_hash_extended(source, uuid_hash_extended(book, :salt)))) >> 2)
                + (hash_numeric_extended(target_balance, hashint8extended(
                    target_seq, uuid_hash_extended(target, uuid_hash_extended(book, :salt)))) >> 2)
                - (hash_numeric_extended(target_balance - amount, hashint8extended(
                    target_seq - 1, uuid_hash_extended(target, uuid_hash_extended(book, :salt)))) >> 2))
            FROM ledger_event
        ), 0) = coalesce((
            SELECT sum(
                (hash_numeric_extended(balance, hashint8extended(
                    seq, uuid_hash_extended(id, uuid_hash_extended(book, :salt)))) >> 2)
                - (hash_numeric_extended(0, hashint8extended(
                    0, uuid_hash_extended(id, uuid_hash_extended(book, :salt)))) >> 2))
            FROM ledger_account
        ), 0)
    """,
    # The same per account tells whose history is not; only that is sorted and looked at.
    problems="""
        WITH leg AS NOT MATERIALIZED (
            SELECT book, source AS account, source_seq AS seq, source_balance + amount AS before,
                   source_balance AS balance, id
            FROM ledger_event
            UNION ALL
            SELECT book, target, target_seq, target_balance - amount, target_balance, id FROM ledger_event
        ), tally AS (
            SELECT book, account, sum((hash_numeric_extended(balance, seq # :salt) >> 1)
                                      - (hash_numeric_extended(before, (seq - 1) # :salt) >> 1)) AS led
            FROM leg GROUP BY book, account
        ), doubted AS MATERIALIZED (
            SELECT book, account
            FROM tally FULL JOIN (SELECT book, id AS account, balance, seq FROM ledger_account) AS kept
                 USING (book, account)
            WHERE coalesce(led, 0) IS DISTINCT FROM (hash_numeric_extended(balance, seq # :salt) >> 1)::numeric
                                                    - (hash_numeric_extended(0, 0 # :salt) >> 1)
        ), step AS (
            SELECT book, account, balance - before AS units, id, seq,
                   seq <> lag(seq, 1, 0::bigint) OVER by_seq + 1 AS jumps,
                   before <> lag(balance, 1, 0::numeric) OVER by_seq AS differs
            FROM leg JOIN doubted USING (book, account) WINDOW by_seq AS (PARTITION BY book, account ORDER BY seq, id)
        ), replay AS (
            SELECT book, account, count(*) AS events, sum(units) AS units,
                   min(concat(lpad(seq::text, 19, '0'), ' event ', id)) FILTER (WHERE jumps) AS jump,
                   min(concat(lpad(seq::text, 19, '0'), ' event ', id)) FILTER (WHERE differs) AS odd
            FROM step GROUP BY book, account
        )
        SELECT format('book %s account %s: %s', book, account, what)
        FROM doubted LEFT JOIN replay USING (book, account)
        LEFT JOIN (SELECT book, id, id AS account, balance, seq FROM ledger_account) AS kept USING (book, account)
        CROSS JOIN LATERAL (VALUES
            (CASE WHEN id IS NULL THEN format('has %s events and does not exist', events) END),
            (CASE WHEN id IS NOT NULL AND seq <> coalesce(events, 0)
                  THEN format('counts %s events, there are %s', seq, coalesce(events, 0)) END),
            (CASE WHEN id IS NOT NULL AND balance <> coalesce(units, 0)
                  THEN format('holds %s, its events sum to %s', balance, coalesce(units, 0)) END),
            (CASE WHEN jump IS NOT NULL THEN format('its sequence breaks at number %s', ltrim(jump, '0')) END),
            (CASE WHEN odd IS NOT NULL THEN format('its running balance breaks at number %s', ltrim(odd, '0')) END)
        ) AS problem (what)
        WHERE what IS NOT NULL
    """,
)

EVENTS = Check(
    says="{} events: their content hashed again, between two accounts of one book and asset, of a kind that goes there",
    counts="SELECT count(*) FROM ledger_event",
    # The hash is spelled out and not taken from ledger_request_hash(): two computations, either can accuse the other.
    problems="""
        SELECT format('book %s event %s: %s', book, id, what) FROM (
            SELECT event.book, event.id, CASE
                WHEN source.id IS NULL OR target.id IS NULL OR source.id = target.id
                    THEN 'does not go between two accounts of its book'
                WHEN source.asset <> target.asset THEN 'goes from one asset to another'
                WHEN NOT ledger_kind_allowed(kind, source.purpose, target.purpose)
                    THEN format('a %s does not go from %s to %s', kind, source.purpose, target.purpose)
                WHEN (amount > 0) IS NOT TRUE THEN 'moves nothing'
                WHEN source.floor = 0 AND source.purpose <> 'credit' AND source_balance < 0
                    THEN 'overdraws its source'
                WHEN kind = 'ADJUST' AND (data ->> 'by' = data ->> 'approved_by') IS NOT FALSE
                    THEN 'adjusts without two persons'
                WHEN request_hash <> sha256(convert_to(concat(
                    event.book, '|', event.id, '|', txn, '|', kind, '|', event.source, '|', event.target, '|', amount,
                    '|', octet_length(reference), '|', reference, '|', data), 'UTF8'))
                    THEN 'its content is not what was asked for: the request hash differs'
            END AS what
            FROM ledger_event AS event
            LEFT JOIN ledger_account AS source ON source.book = event.book AND source.id = event.source
            LEFT JOIN ledger_account AS target ON target.book = event.book AND target.id = event.target
        ) AS seen WHERE what IS NOT NULL
    """,
)

SUMS = Check(
    says="{} books and assets: their accounts sum to zero",
    counts="SELECT count(DISTINCT (book, asset)) FROM ledger_account",
    problems="""
        SELECT format('book %s asset %s: its accounts sum to %s', book, asset, sum(balance))
        FROM ledger_account GROUP BY book, asset, starts_with(purpose, 'memo') HAVING sum(balance) <> 0
    """,
)

FLOORS = Check(
    says="{} accounts: named by their parts, not below their floor, the floor that their purpose and credit limit give",
    counts="SELECT count(*) FROM ledger_account",
    problems="""
        SELECT format('book %s account %s: %s', book, id, what) FROM (
            SELECT account.book, id, CASE
                WHEN id <> ledger_account_id(account.book, owner, asset, purpose, network)
                    THEN 'its id is not made of its parts'
                WHEN balance < floor THEN format('holds %s, below its floor %s', balance, floor)
                WHEN purpose = 'credit' AND balance > 0 THEN format('holds %s, a credit line may not', balance)
                WHEN floor IS DISTINCT FROM CASE WHEN purpose IN ('fees', 'external', 'conversion', 'memo_contra')
                                                 THEN NULL
                                                 WHEN purpose = 'credit' THEN coalesce(limited.floor_set, 0)
                                                 ELSE 0 END
                    THEN format('its floor is %s, which nobody set', coalesce(floor::text, 'none'))
            END AS what
            FROM ledger_account AS account
            LEFT JOIN (
                SELECT DISTINCT ON (book, account) book, account AS id, new_floor AS floor_set
                FROM ledger_creditlimitchange ORDER BY book, account, number DESC
            ) AS limited USING (book, id)
        ) AS seen WHERE what IS NOT NULL
    """,
)

LIMITS = Check(
    says="{} changes of credit limits: each starts where the one before ended",
    counts="SELECT count(*) FROM ledger_creditlimitchange",
    problems="""
        SELECT format('book %s account %s: the history of its credit limit breaks at change %s', book, account, number)
        FROM (
            SELECT book, account, number, old_floor, lag(new_floor, 1, 0::numeric) OVER history AS before,
                   lag(number, 1, 0::bigint) OVER history AS number_before
            FROM ledger_creditlimitchange WINDOW history AS (PARTITION BY book, account ORDER BY number)
        ) AS change
        WHERE old_floor <> before OR number <> number_before + 1
    """,
)

GUARDS = Check(
    says="{} guards in place: triggers, constraints, privileges",
    counts="""
        SELECT count(*) FROM (
            SELECT tgname FROM pg_trigger
            WHERE tgname LIKE '%append_only' OR tgname IN ('account_kept', 'account_rules')
            UNION ALL SELECT conname FROM pg_constraint WHERE conrelid::regclass::text LIKE 'ledger%' AND contype <> 'n'
            UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'ledger%' AND relkind IN ('r', 'p')
        ) AS guard
    """,
    problems=r"""
        SELECT format('the trigger %s on %s is not there or switched off', guard, guarded)
        FROM (VALUES ('event_append_only', 'ledger_event'), ('account_kept', 'ledger_account'),
                     ('credit_limit_change_append_only', 'ledger_creditlimitchange'),
                     ('account_rules', 'ledger_account'),
                     ('block_append_only', 'ledger_block'), ('anchor_append_only', 'ledger_anchor'),
                     ('adjustment_append_only', 'ledger_adjustment'), ('convert_in_pairs', 'ledger_event'),
                     ('adjustment_decision_append_only', 'ledger_adjustmentdecision')
              UNION ALL SELECT 'event_append_only', inhrelid::regclass::text FROM pg_inherits
                        WHERE inhparent = to_regclass('ledger_event')
             ) AS wanted (guard, guarded)
        WHERE NOT EXISTS (SELECT FROM pg_trigger
                          WHERE tgname = guard AND tgrelid = to_regclass(guarded) AND tgenabled = 'A')
        UNION ALL
        SELECT format('the constraint %s is not there or not enforced', guard)
        FROM unnest(ARRAY['ledger_event_pkey', 'event_amount_in_range', 'event_two_accounts', 'adjust_by_two_persons',
                          'ledger_account_pkey', 'account_not_overdrawn',
                          'credit_not_overpaid',
                          'ledger_block_pkey', 'block_follows_once', 'block_ends_once', 'block_hash_from_parts',
                          'block_is_a_stretch'
                         ]) AS wanted (guard)
        WHERE NOT EXISTS (SELECT FROM pg_constraint
                          WHERE conname = guard AND convalidated AND conenforced AND conrelid IN (
                              to_regclass('ledger_event'), to_regclass('ledger_account'), to_regclass('ledger_block')))
        UNION ALL
        SELECT format('the constraint %s is not there or not enforced', relname || guard)
        FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
        CROSS JOIN (VALUES ('_source_seq_once'), ('_target_seq_once')) AS wanted (guard)
        WHERE inhparent = to_regclass('ledger_event') AND NOT EXISTS (
            SELECT FROM pg_constraint JOIN pg_index ON indexrelid = conindid
            WHERE conrelid = part.oid AND conname = relname || guard AND contype = 'u' AND indisvalid)
        UNION ALL
        SELECT format('%s may write to %s', rolname, relname)
        FROM pg_roles CROSS JOIN pg_class
        WHERE relname LIKE 'ledger\_%' AND relkind IN ('r', 'p', 'v') AND rolname NOT LIKE 'pg\_%'
          AND NOT rolsuper AND NOT pg_has_role(rolname, relowner, 'MEMBER')
          AND (has_table_privilege(rolname, pg_class.oid, 'DELETE, TRUNCATE, TRIGGER, MAINTAIN')
               OR has_any_column_privilege(rolname, pg_class.oid, 'INSERT, UPDATE, REFERENCES'))
    """,
)

CHECKS = (REPLAY, EVENTS, SUMS, FLOORS, LIMITS, checks.CONVERSIONS, checks.ADJUSTMENTS, GUARDS)


def prove(*, anchors: seal_audit.Anchors | None = None, hear: Callable[[str], None] | None = None) -> Report:
    """Check the whole ledger as it stands at one moment, while others go on writing.

    `anchors` are the numbers and hashes of blocks as somebody has read them where they were made public; without it
    nothing is said about anchors. `hear` is told of each check when it is done, and how long it took.

    Each question is one statement and so consistent in itself; called inside a READ COMMITTED transaction, the checks
    see different moments, and only their counts can differ.
    """
    report = Report()
    with _one_moment(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        for check in CHECKS:
            begun = time.monotonic()
            quick = _salted(check.holds) or "false"
            cursor.execute(f"SELECT ({check.counts}), ({quick})")
            checked, holds = cursor.fetchone()
            report.lines.append(check.says.format(f"{checked:,}"))
            if not holds:
                _ask(cursor, check, report)
            if hear:
                hear(f"{report.lines[-1]} ({time.monotonic() - begun:.1f} s)")
        findings = seal_audit.check(anchors)
        report.lines.extend(findings.lines(with_anchors=anchors is not None))
        _name(report, findings.problems[:SAMPLE], len(findings.problems))
    return report


def _ask(cursor: Any, check: Check, report: Report) -> None:
    """Who breaks it, by name."""
    cursor.execute(
        f"WITH problem (what) AS MATERIALIZED ({_salted(check.problems)})"  # noqa: S608 - our own constants
        f" SELECT count(*), (array_agg(what ORDER BY what))[:{SAMPLE}] FROM problem",
    )
    found, named = cursor.fetchone()
    _name(report, named or [], found)
    if check.holds and not found:
        report.problems.append(f"does not hold, and no row says why: {report.lines[-1]}")


def _salted(question: str) -> str:
    return question.replace(":salt", f"{secrets.randbits(62)}::bigint")  # no hash is known beforehand


def _name(report: Report, named: list[str], found: int) -> None:
    report.problems.extend(named)
    if found > SAMPLE:
        report.problems.append(f"… and {found - SAMPLE:,} more of the same check")


@contextmanager
def _one_moment() -> Iterator[None]:
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
