"""Questions to the books whose answers are problems; audit.prove() asks them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the database: what is counted, and a query whose rows are problems.

    `holds`, where there is one, is a quicker question: true when there can be no problem.
    """

    says: str
    counts: str
    problems: str
    holds: str = ""


CONVERSIONS = Check(
    says="{} movements of conversions: each with the other asset's at the same rate",
    counts="SELECT count(*) FROM ledger_event WHERE kind = 'CONVERT'",
    problems="""
        WITH leg AS MATERIALIZED (
            SELECT event.book, event.id, txn, data ->> 'pair' AS pair, data ->> 'rate' AS rate, asset,
                   purpose = 'conversion' AS bought
            FROM ledger_event AS event
            JOIN ledger_account AS account ON account.book = event.book AND account.id = event.source
            WHERE kind = 'CONVERT'
        )
        SELECT format('book %s event %s: is half a conversion', one.book, one.id)
        FROM leg AS one LEFT JOIN leg AS other ON other.book = one.book AND other.id::text = one.pair
        WHERE (other.pair = one.id::text AND other.txn = one.txn AND other.rate = one.rate AND other.asset <> one.asset
               AND other.bought <> one.bought) IS NOT TRUE
    """,
)

ADJUSTMENTS = Check(
    says="{} decisions about adjustments: by another person, and what was confirmed was moved, as it was proposed",
    counts="SELECT count(*) FROM ledger_adjustmentdecision",
    problems="""
        WITH moved AS MATERIALIZED (
            SELECT book, txn, source, target, amount, reference, data FROM ledger_event WHERE kind = 'ADJUST'
        )
        SELECT format('book %s adjustment %s: was %s otherwise than it says', book, adjustment, lower(verdict))
        FROM ledger_adjustmentdecision AS decided
        LEFT JOIN (SELECT book, id AS adjustment, source, target, amount, reference, reason, by AS who
                   FROM ledger_adjustment) AS asked USING (book, adjustment)
        WHERE who IS DISTINCT FROM proposed_by
           OR (verdict = 'CONFIRMED' AND (decided.by = proposed_by OR NOT EXISTS (
                  SELECT FROM moved
                  WHERE moved.book = asked.book AND moved.txn = asked.adjustment
                    AND (moved.source, moved.target, moved.amount, moved.reference)
                        = (asked.source, asked.target, asked.amount, asked.reference)
                    AND data ->> 'reason' = reason AND data ->> 'by' = who AND data ->> 'approved_by' = decided.by)))
    """,
)
