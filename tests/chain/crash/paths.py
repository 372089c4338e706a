"""The paths that a withdrawal can take, each a script that may be begun again after a crash at any line."""

from collections.abc import Callable
from dataclasses import dataclass

from chain import addresses
from payouts.withdrawals.models import Approval, Status
from tests.chain import labs
from tests.chain.crash.desk import Desk

FAMILIES = ("ethereum", "tron")
OF_GROUPS = "^(dispatch.*commit|signature.after|signed|broadcast.after_(send|record)|verdict|settle)"
BATCH_CONTRACT = addresses.from_bytes("ethereum", bytes.fromhex("ba7cb47c00000000000000000000000000000004"))
TAKEN_UNITS = 500_000 * 10**6
TWO_MORE = (("11", Status.COMPLETED), ("12", Status.COMPLETED))
ONE_TOO_LARGE = (("600000", Status.FAILED), ("12", Status.COMPLETED))
OF_GIVING_UP = "give_up|signed|verdict|settle"
OF_SWEEPS = "sweep|top_up|^signed.after|broadcast.after_send|^verdict.before"


def to_the_chain(desk: Desk) -> None:
    """Created, approved by policy, ordered."""
    desk.ask()
    desk.sweep("screen", "dispatch")


def to_the_end(desk: Desk) -> None:
    """Sent, mined, final, settled."""
    desk.sweep("send")
    desk.mine()
    desk.wait(60)
    desk.sweep("watch", "settle")


def complete(desk: Desk) -> None:
    """Two approvers, one transaction."""
    desk.ask()
    desk.sweep("screen")
    desk.approve(1)
    desk.approve(2)
    desk.sweep("dispatch", "sign")
    to_the_end(desk)


def agreed(desk: Desk) -> None:
    """Asked for by the long way; the merchant's own yes, one transaction."""
    desk.ask(shortly=False)
    desk.agree()
    desk.sweep("dispatch", "sign")
    to_the_end(desk)


def refused(desk: Desk) -> None:
    """The merchant's own no."""
    desk.ask()
    desk.refuse()


def reject(desk: Desk) -> None:
    """One yes, one no."""
    desk.ask()
    desk.sweep("screen")
    desk.approve(1)
    desk.reject()


def cancel(desk: Desk) -> None:
    """Called back when it had been approved."""
    desk.ask()
    desk.sweep("screen")
    desk.cancel()


def silence(desk: Desk) -> None:
    """The nodes are away when it is to be signed, sent and looked for."""
    to_the_chain(desk)
    with desk.silence():
        desk.sweep("sign")
    desk.wait(10)
    desk.sweep("sign")
    with desk.silence():
        desk.sweep("send", "watch")
    desk.wait(60)
    to_the_end(desk)


def bump(desk: Desk) -> None:
    """Nobody mines the first bytes."""
    to_the_chain(desk)
    desk.sweep("sign", "send", "watch")
    desk.wait(desk.network.bump_after_ms / 1000 + 1)
    desk.sweep("watch", "sign")
    to_the_end(desk)


def expire(desk: Desk) -> None:
    """The node loses the first bytes until they have expired."""
    to_the_chain(desk)
    desk.sweep("sign", "send", "watch")
    first = desk.attempt()
    if first is not None and first.expiration_ms is not None:
        desk.lab.ask("dev/drop", txid=first.txid)
        desk.lab.pass_time(until_ms=first.expiration_ms)
    desk.mine()
    desk.wait(60)
    desk.sweep("watch", "sign")
    to_the_end(desk)


def revert(desk: Desk) -> None:
    """The token refuses to move."""
    to_the_chain(desk)
    desk.sweep("sign")
    desk.lab.blacklist(desk.wallet().address)
    to_the_end(desk)


def allow(lab: labs.Lab, wallet: str) -> None:
    """The token moves again."""
    lab.blacklist(wallet, on=False)


def reorg(desk: Desk) -> None:
    """The block that held it is taken back."""
    to_the_chain(desk)
    desk.sweep("sign", "send")
    desk.lab.mine(3)
    desk.sweep("watch")
    desk.lab.orphan(3)
    desk.wait(60)
    desk.sweep("watch")
    to_the_end(desk)


def swept(desk: Desk) -> None:
    """A customer has paid: the address gets coin for its fee, then it is swept."""
    desk.pay_in()
    for _ in range(3):
        desk.wait(40)
        desk.sweep("sweep", "sign", "send")
        desk.mine()
        desk.wait(60)
        desk.sweep("watch")


def together(desk: Desk) -> None:
    """Several go in each transaction of ours, and of the chain's where there is a batch contract."""
    to_the_chain(desk)
    desk.sweep("sign")
    to_the_end(desk)


def one_unfunded(desk: Desk) -> None:
    """A batch from a wallet that has meanwhile too little for the largest of its payments."""
    to_the_chain(desk)
    desk.sweep("sign")
    if isinstance(desk.lab, labs.EvmLab) and desk.lab.balance(desk.wallet().address) >= TAKEN_UNITS:
        desk.lab.take_from(desk.wallet().address, by=BATCH_CONTRACT, units=TAKEN_UNITS)
    to_the_end(desk)


def give_back(lab: labs.Lab, wallet: str) -> None:
    """The wallet has its money again."""
    if isinstance(lab, labs.EvmLab) and lab.balance(wallet) < TAKEN_UNITS:
        lab.move(labs.OWNER, wallet, units=TAKEN_UNITS)
        labs.finalise(lab)  # else a lane that is read now seems to lack it


def given_up(desk: Desk) -> None:
    """It cannot be signed, and somebody gives it up."""
    to_the_chain(desk)
    desk.give_up()
    desk.sweep("sign")
    to_the_end(desk)


def foreign_nonce(desk: Desk) -> None:
    """Another program uses the wallet before our bytes are sent."""
    to_the_chain(desk)
    desk.sweep("sign")
    intent = desk.intent()
    if intent is not None and desk.lab.nonce(desk.wallet().address) == intent.seq:
        desk.lab.steal_nonce(desk.wallet().address, nonce=intent.seq)
    desk.mine()
    to_the_end(desk)


@dataclass(frozen=True, slots=True)
class Path:
    """A script, who must approve on it, where it ends, and on which networks there is such a thing."""

    script: Callable[[Desk], None]
    approval: Approval
    ends: Status | None  # none: it is about no withdrawal
    networks: tuple[str, ...] = FAMILIES
    after: Callable[[labs.Lab, str], None] | None = None  # puts the wallet right again
    finish: Callable[[Desk], None] = Desk.finish
    others: tuple[tuple[str, Status], ...] = ()  # what goes with it: amounts, and where those end
    batched: bool = False
    only: str = ""  # a pattern of the failpoints that are this path's own, where the others are known from `complete`


# fmt: off
PATHS: dict[str, Path] = {
    "complete":      Path(complete,      Approval.TWO_LEVELS, Status.COMPLETED),
    "agreed":        Path(agreed,        Approval.MERCHANT,   Status.COMPLETED, only="merchant_yes|create|answer"),
    "refused":       Path(refused,       Approval.MERCHANT,   Status.REJECTED, only="merchant_no"),
    "reject":        Path(reject,        Approval.TWO_LEVELS, Status.REJECTED),
    "cancel":        Path(cancel,        Approval.NONE,       Status.CANCELLED),
    "silence":       Path(silence,       Approval.NONE,       Status.COMPLETED, only="put_off|broadcast"),
    "bump":          Path(bump,          Approval.NONE,       Status.COMPLETED, ("ethereum",)),
    "expire":        Path(expire,        Approval.NONE,       Status.COMPLETED, ("tron",)),
    "revert":        Path(revert,        Approval.NONE,       Status.FAILED, after=allow),
    "reorg":         Path(reorg,         Approval.NONE,       Status.COMPLETED),
    "swept":         Path(swept,         Approval.NONE,       None, finish=Desk.finish_sweeping, only=OF_SWEEPS),
    "together":      Path(together,      Approval.NONE,       Status.COMPLETED, others=TWO_MORE, only=OF_GROUPS),
    "batch":         Path(one_unfunded,  Approval.NONE,       Status.COMPLETED, ("ethereum",), after=give_back,
                          others=ONE_TOO_LARGE, batched=True, only=OF_GROUPS),
    "given_up":      Path(given_up,      Approval.NONE,       Status.FAILED,    ("ethereum",), only=OF_GIVING_UP),
    "foreign_nonce": Path(foreign_nonce, Approval.NONE,       Status.FAILED,    ("ethereum",)),
}
# fmt: on
WAYS = [(name, network) for name, path in PATHS.items() for network in path.networks]
