"""The hash of a movement's content can be computed by anybody, here a second time in Python."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import posting
from ledger.models import Event
from ledger.posting import Kind
from tests.ledger.books import funded

pytestmark = pytest.mark.django_db

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def as_jsonb(value: Any) -> Any:
    """Keys in jsonb's order: by their length in bytes, then by their bytes."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: as_jsonb(value[key]) for key in keys}
    return [as_jsonb(item) for item in value] if isinstance(value, list) else value


def computed(event: Event) -> bytes:
    parts = [
        event.book,
        event.id,
        event.txn,
        event.kind,
        event.source,
        event.target,
        event.amount,
        len(event.reference.encode()),
        event.reference,
        json.dumps(as_jsonb(event.data), ensure_ascii=False),
    ]
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).digest()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reference=text, data=st.dictionaries(text, values, max_size=4), amount=st.integers(1, 10**77 - 1))
def test_the_hash_is_what_an_outsider_computes_from_the_row(reference: str, data: dict[str, Any], amount: int) -> None:
    book = funded(1)
    movement = replace(book.movement(Kind.DEPOSIT, amount), reference=reference, data=data)
    posting.post([movement])

    event = Event.objects.get(book=book.id, id=movement.id)

    assert bytes(event.request_hash) == computed(event)
    assert (event.reference, event.data, event.amount) == (reference, data, amount)
