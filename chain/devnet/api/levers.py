"""The levers under `dev/`, which no real node has: for tests and for seeding the local chain."""

from typing import TYPE_CHECKING, Any, Final

from chain.devnet import tokens
from chain.devnet.api.question import Question
from chain.devnet.faults import Fault, Faults
from chain.devnet.owner import Owner
from chain.devnet.refusals import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BLOCKS: Final = 1_000


class Levers:
    """What a test can do to the node."""

    def __init__(self, *, owner: Owner, faults: Faults) -> None:
        self._owner = owner
        self._faults = faults
        # fmt: off
        self.table: Mapping[str, Callable[[Question], dict[str, Any]]] = {
            "mine":      self.mine,        # n
            "mining":    self.mining,      # on
            "reorg":     self.reorg,       # depth, repool, keep: [txid]
            "skip":      self.skip,        # ms
            "drop":      self.drop,        # txid
            "forget":    self.forget,      # txid
            "params":    self.params,      # any of parameters.Parameters
            "fault":     self.fault,       # see faults.Fault
            "unfault":   self.unfault,
            "status":    self.status,
            "credit":    self.credit,      # address, sun
            "mint":      self.mint,        # address, units, contract
            "blacklist": self.blacklist,   # address, on, contract
            "pause":     self.pause,       # on, contract
            "fee":       self.fee,         # basis_points, maximum_tokens
        }
        # fmt: on

    def mine(self, question: Question) -> dict[str, Any]:
        """Make blocks now."""
        count = question.number("n", default=1)
        if not 0 < count <= MAX_BLOCKS:
            raise BadRequest(f"n is between 1 and {MAX_BLOCKS}")
        for _ in range(count):
            question.node.mine()
        return self.status(question)

    def mining(self, question: Question) -> dict[str, Any]:
        """Switch the block producer on or off; `mine` works either way."""
        question.node.mining = _flag(question, "on")
        return self.status(question)

    def reorg(self, question: Question) -> dict[str, Any]:
        """Take blocks away; answer which transactions were in them."""
        try:
            keep = [bytes.fromhex(txid) for txid in question.body.get("keep", ())]
        except (TypeError, ValueError) as error:
            raise BadRequest("keep is a list of txids") from error
        orphans = question.node.reorganise(question.number("depth"), repool=_flag(question, "repool"), keep=keep)
        return self.status(question) | {"orphaned": [txid.hex() for txid in orphans]}

    def skip(self, question: Question) -> dict[str, Any]:
        """Let time pass at once; the next block is that much later."""
        ms = question.number("ms")
        if ms < 0:
            raise BadRequest("time does not run backwards")
        question.node.skip(ms)
        return self.status(question)

    def drop(self, question: Question) -> dict[str, Any]:
        """Lose a waiting transaction."""
        return {"dropped": question.node.drop(question.data("txid"))}

    def forget(self, question: Question) -> dict[str, Any]:
        """Forget that a txid was seen."""
        question.node.forget(question.data("txid"))
        return {}

    def params(self, question: Question) -> dict[str, Any]:
        """Change prices and limits; answer all of them."""
        parameters = question.node.parameters
        for name, value in question.body.items():
            try:
                parameters.change(name, value)
            except ValueError as error:
                raise BadRequest(str(error)) from error
        return {name: getattr(parameters, name) for name in parameters.__slots__}

    def fault(self, question: Question) -> dict[str, Any]:
        """Order a fault."""
        try:
            self._faults.add(Fault(**question.body))
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error
        return {}

    def unfault(self, question: Question) -> dict[str, Any]:
        """Call off all faults."""
        del question
        return {"cleared": self._faults.clear()}

    def status(self, question: Question) -> dict[str, Any]:
        """Tell where the chain is and what was dropped at mining."""
        node = question.node
        return {
            "head": node.head.number,
            "solid": node.solid.number,
            "mining": node.mining,
            "pending": [transaction.txid.hex() for transaction in node.pending],
            "dropped": node.dropped,
        }

    def credit(self, question: Question) -> dict[str, Any]:
        """Give TRX."""
        txid = self._owner.send_trx(to=question.address("address"), amount_sun=question.number("sun"))
        return {"txid": txid.hex()}

    def mint(self, question: Question) -> dict[str, Any]:
        """Issue tokens to an account."""
        to, units = question.address("address"), question.number("units")
        txid = self._owner.mint(to=to, units=units, token=_token(question))
        return {"txid": txid.hex()}

    def blacklist(self, question: Question) -> dict[str, Any]:
        """Block a holder of the token, or let go of it."""
        function = "addBlackList" if _flag(question, "on") else "removeBlackList"
        return {"txid": self._owner.call(function, question.address("address"), token=_token(question)).hex()}

    def pause(self, question: Question) -> dict[str, Any]:
        """Stop all transfers of a token, or let them run again."""
        function = "pause" if _flag(question, "on") else "unpause"
        return {"txid": self._owner.call(function, token=_token(question)).hex()}

    def fee(self, question: Question) -> dict[str, Any]:
        """Set Tether's own fee on transfers."""
        basis_points, maximum = question.number("basis_points"), question.number("maximum_tokens")
        return {"txid": self._owner.call("setParams", basis_points, maximum).hex()}


def _token(question: Question) -> bytes:
    """The token that a question is about; USDT when it does not say.

    Raises: BadRequest.
    """
    if "contract" not in question.body:
        return tokens.ON_TRON
    if (address := question.address("contract")) not in tokens.GENESIS:
        raise BadRequest("there is no such token on this chain")
    return address


def _flag(question: Question, name: str) -> bool:
    value = question.body.get(name, True)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} is true or false")
    return value
