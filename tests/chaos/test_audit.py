"""The auditor notices what a payer may do wrong, each by itself."""

import pytest

from tests.chaos import audit
from tests.chaos.audit import Entry
from tests.chaos.nodes import Moved
from tests.chaos.orders import Order

TOKEN = "T"
ORDER = Order(0, "tron", "to", 5)
PAID, AGAIN = Moved("to", 4, TOKEN, "1", 1), Moved("to", 4, TOKEN, "2", 2)
SHORT, OTHER_TOKEN = Moved("to", 3, TOKEN, "1", 1), Moved("to", 4, "X", "1", 1)
DONE, FAILED, OPEN = Entry("COMPLETED", 4), Entry("FAILED", 4), Entry("PROCESSING", 4)
# fmt: off
CASES = {
    #                               books         chain              double lost stuck stray
    "paid once":                   ([DONE],       [PAID],            (0, 0, 0, 0)),
    "refunded":                    ([FAILED],     [],                (0, 0, 0, 0)),
    "paid twice":                  ([DONE],       [PAID, AGAIN],     (1, 0, 0, 0)),
    "refunded and paid":           ([FAILED],     [PAID],            (1, 0, 0, 0)),
    "refunded and paid twice":     ([FAILED],     [PAID, AGAIN],     (2, 0, 0, 0)),
    "completed and not paid":      ([DONE],       [],                (0, 1, 0, 0)),
    "paid another amount":         ([DONE],       [SHORT],           (0, 1, 0, 0)),
    "paid another token":          ([DONE],       [OTHER_TOKEN],     (0, 1, 0, 0)),
    "in no book":                  ([],           [],                (0, 1, 0, 0)),
    "in no book and paid":         ([],           [PAID],            (1, 1, 0, 0)),
    "open":                        ([OPEN],       [],                (0, 0, 1, 0)),
    "open and paid":               ([OPEN],       [PAID],            (0, 0, 1, 0)),
    "open and paid twice":         ([OPEN],       [PAID, AGAIN],     (1, 0, 1, 0)),
    "taken twice and paid twice":  ([DONE, DONE], [PAID, AGAIN],     (1, 0, 0, 0)),
    "nobody ordered it":           ([DONE],       [PAID, Moved("somebody", 4, TOKEN, "3", 3)], (0, 0, 0, 1)),
}
# fmt: on


@pytest.mark.parametrize("case", CASES)
def test_the_auditor_counts(case: str) -> None:
    entries, moved, wanted = CASES[case]
    found = audit.compare([ORDER], {"to": entries}, moved, contract=TOKEN)
    assert (found.double, found.lost, found.stuck, found.stray) == wanted
    assert found.ok == (not any(wanted)) == (not found.texts)
