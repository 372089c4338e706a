"""Any batch leaves what posting its movements one after another leaves, by the pure model."""

import copy
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import audit, balances, bulk
from ledger.bulk import BatchRefused
from ledger.posting import IdempotencyConflict, InsufficientFunds, LedgerRefused, Movement
from tests.ledger.books import Book
from tests.ledger.test_properties import Draw, Model, draws

pytestmark = pytest.mark.django_db
TELLS = {"conflict": IdempotencyConflict, "insufficient": InsufficientFunds, "refused": LedgerRefused}


def in_bulk(movements: list[Movement], *, skip: bool) -> list[str]:
    try:
        outcome = bulk.post_many(movements, on_error="skip_bad" if skip else "all_or_nothing")
    except BatchRefused as refused:
        return [f"stopped at {refused.position}"]
    said = ["posted"] * len(movements)
    for position in outcome.repeated:
        said[position] = "repeated"
    for bad in outcome.refused:
        said[bad.position] = next(word for word, error in TELLS.items() if type(bad.error) is error)
    assert outcome.posted == said.count("posted")
    return said


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.lists(draws, max_size=12), max_size=5), again=st.randoms(use_true_random=False))
def test_any_batch_leaves_what_one_by_one_leaves(history: list[list[Draw]], again: random.Random) -> None:
    books = [Book(), Book()]
    models = {book.id: Model() for book in books}
    for draw_list in history:
        movements = [draw.movement(again.choice(books)) for draw in draw_list]
        tried = copy.deepcopy(models)
        expected = [tried[movement.source.book].post([movement]) for movement in movements]
        skip = again.random() < 0.5
        bad = next((place for place, word in enumerate(expected) if word in TELLS), None)
        if skip or bad is None:
            models = tried
        else:
            expected = [f"stopped at {bad}"]
        assert in_bulk(movements, skip=skip) == expected

    for book in books:
        held = [(ref, kept) for ref, kept in balances.book(book.id) if kept.seq]
        assert {ref: kept.balance_units for ref, kept in held} == models[book.id].units
        assert {ref: kept.seq for ref, kept in held} == models[book.id].seqs
    assert audit.prove().problems == []
