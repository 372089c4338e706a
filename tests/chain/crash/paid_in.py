"""A customer's way in, and what is left of it after a crash: both may be begun at any line."""

from payouts.withdrawals.models import Approval
from tests import make
from tests.chain import payers
from tests.chain.crash.desk import Desk
from tests.chain.crash.paths import Path

DUE = make.usdt("20")


def paid_in(desk: Desk) -> None:
    """Seen, taken back, paid again, seen, final, booked."""
    desk.sweep("follow", "deposits")
    payers.pay(desk.lab, desk.destination, DUE)
    desk.lab.mine(2)
    desk.sweep("follow", "deposits")
    payers.take_back(desk.lab, 2)
    desk.lab.mine(3)
    desk.sweep("follow", "deposits")
    after(desk)


def after(desk: Desk) -> None:
    """Whoever goes on sees to it that there is something to come in, and takes it in."""
    if not desk.lab.balance(desk.destination):
        payers.pay(desk.lab, desk.destination, DUE)
    desk.lab.mine(1)
    desk.sweep("follow", "deposits")
    desk.mine()
    desk.sweep("follow", "deposits")


PATHS = {
    "paid_in": Path(paid_in, Approval.NONE, None),
    "paid_in_after": Path(after, Approval.NONE, None),
}
