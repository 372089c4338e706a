"""TRON as the protocol sees it: energy, solid blocks, and the proof that an expired transaction never was.

Source: java-tron Manager.validateCommon (a block takes a transaction only while its expiration is after the parent
block's time), Manager.validateTapos, Wallet.broadcastTransaction.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from chain import addresses, links, networks, proofs, token_abi
from chain.endpoints import Endpoints, OtherChain
from chain.gateway import (
    Account,
    Answer,
    Candidate,
    ChainError,
    Expected,
    Head,
    Holding,
    Judgement,
    Landing,
    Obstacle,
    Outcome,
    Quote,
    Reading,
    Retryable,
    Signature,
    Signed,
    Transfer,
)
from chain.tron import ahead, build, facts, fees, rehearsal
from chain.tron.client import Client, Receipt

VALID_FOR_MS = 60_000
SOLIDITY = "walletsolidity"


class Gateway:
    """TRON during one sweep."""

    def __init__(self, network: str, urls: Sequence[str], *, timeout_s: float) -> None:
        self._network = networks.network(network)
        clients = [Client(url, timeout_s=timeout_s) for url in urls]
        self._nodes = Endpoints(network, clients, identify=self._identify)
        self._block = links.Kept(self._read_block)
        self._ahead: dict[Transfer, dict[str, Any]] = {}  # the costliest calls, rehearsed ahead

    def head(self) -> Head:
        """The newest block and the newest solid one that all endpoints in good standing have.

        Raises: Permanent when the endpoint is on another chain.
        """
        solid = self._solid()
        latest = self._nodes.gather(Client.latest)
        number = min(block.number for block in latest.values())
        newest_ms = max(block.at_ms for block in latest.values())
        return Head.over(solid, newest=(number, newest_ms))

    def quote(self, transfer: Transfer, *, previous: Candidate | None) -> Quote:  # noqa: ARG002 - TRON replaces nothing
        """A solid reference block, an expiration by the chain's clock, a fee limit from what the call needs.

        Raises: FeeCeiling when the price is above the network's ceiling: the payment waits.
        """
        fee_limit_sun = 0
        if transfer.contract != networks.NATIVE:
            call = fees.known(transfer, self._ahead)
            call = call or self._nodes.first(lambda node: fees.rehearsed(node, transfer))
            fee_limit_sun = fees.fee_limit_sun(transfer, call, prices=self._prices)
        solid, latest_ms = self._moment
        return Quote(
            fees={"fee_limit_sun": fee_limit_sun},
            ref_number=solid.number,
            ref_hash=solid.hash,
            ref_mark=build.ref_mark(solid.hash),
            expiration_ms=latest_ms + VALID_FOR_MS,
        )

    def quote_ahead(self, transfers: Sequence[Transfer]) -> None:
        """Rehearse, of each token that a wallet moves, the call that takes the most energy."""
        self._ahead = rehearsal.costliest(self._nodes, transfers)

    def rehearse(self, transfers: Sequence[Transfer]) -> list[Obstacle | ChainError | None]:
        """Run tokens' calls without a transaction; TRX goes to everything but a contract."""
        return rehearsal.run(self._nodes, transfers)

    def digest(self, transfer: Transfer, quote: Quote) -> bytes:
        """The hash to sign."""
        return build.digest(transfer, quote)

    def attach(self, transfer: Transfer, quote: Quote, signature: Signature) -> Signed:
        """The bytes to send."""
        return build.attach(transfer, quote, signature)

    def read(self, raw: bytes) -> Reading:
        """Decode signed bytes."""
        return build.read(raw)

    def send(self, raws: Sequence[bytes]) -> list[list[Answer]]:
        """Send the bytes to every node; what a node calls the transactions is of no interest."""
        return self._nodes.every(lambda node: node.each(raws, node.broadcast), number=len(raws))

    def read_ahead(self, candidates: Sequence[Candidate], *, head: Head, every: bool = False) -> None:
        """Read the receipts, block by block where many are due, else some at a time."""
        plan = ahead.plan(candidates, self._block, head=head, every=every)
        self._nodes.gather(lambda node: node.read_ahead(plan))

    def judge(
        self,
        transfer: Transfer,
        candidates: Sequence[Candidate],
        *,
        head: Head,
        scan: Mapping[str, Any],  # noqa: ARG002 - a scan for absence is short enough to be made at once
        now: datetime,  # noqa: ARG002 - the chain's clock decides
    ) -> Judgement:
        """Say what the solid blocks say of any of the attempts."""
        for candidate in candidates:
            if ahead.is_early(candidate, head):
                continue
            receipt = self._receipt(candidate.txid, upto=head.final_number)
            if receipt and candidate.is_live:
                return self._landed(transfer, candidate, receipt, head)
            if receipt:
                alarm = f"{candidate.txid} is solid although it was proven absent: the endpoints must be looked at"
                return Judgement(note=alarm, alarm=alarm)
        live = next((candidate for candidate in candidates if candidate.is_live), None)
        if live is None:
            return Judgement(note="expired, to be signed again")
        if live.expiration_ms is not None and head.final_ms > live.expiration_ms:
            return self._expired(live, head)
        return Judgement(note="sent, in no solid block yet", final_in=head.blocks_until_final(live))

    def account(self, wallet: str, contracts: Collection[str]) -> Account:
        """What the wallet holds at the solid head, or one that has become solid meanwhile."""

        def ask(node: Client) -> Account:
            number = node.solid().number
            return Account(number, {of: self._balance(of, wallet)(node) for of in contracts})

        return self._nodes.first(ask)

    def fee_units(self) -> int:
        """A transfer's energy and bandwidth, all of it burned; what is staked is not counted on."""
        return fees.most_sun(self._nodes, self._network)

    def most_units(self, transfer: Transfer) -> int:
        """What its energy may burn by the fee limit that would be signed now, and its bytes."""
        return self.cost_units(transfer, self.quote(transfer, previous=None))

    def cost_units(self, transfer: Transfer, quote: Quote) -> int:  # noqa: ARG002 - its energy is in the fee limit
        """The same by the quote's fee limit."""
        return quote.fees["fee_limit_sun"] + fees.TRANSFER_BYTES * self._prices["getTransactionFee"]

    def estimate(self, transfer: Transfer) -> Expected:
        """Its energy and bandwidth at today's prices, without what the wallet has free."""
        return fees.estimate(self._nodes, transfer)

    def held(
        self,
        contract: str,
        wallets: Collection[str],
        *,
        upto: int | None = None,  # noqa: ARG002 - old states are not shown
    ) -> Holding:
        """What the wallets hold at a solid block: a node answers for its solid head, which must not move meanwhile.

        Raises: Retryable when it did, or when two endpoints are not at the same one.
        """

        def ask(node: Client) -> Holding:
            before = node.solid()
            each = tuple(self._balance(contract, wallet)(node) for wallet in wallets)
            if node.solid().hash != before.hash:
                raise Retryable("the solid head moved while balances were read")
            return Holding(before.number, before.hash, each, contract, tuple(wallets))

        return self._nodes.agreed(ask, settled=False)

    def landed(self, transfer: Transfer, candidates: Sequence[Candidate], holding: Holding) -> Landing:
        """What one of the attempts has done by that block."""
        for candidate in candidates:
            receipt = self._receipt(candidate.txid, upto=holding.number)
            if receipt:
                return Landing(facts.pays(transfer, receipt), facts.spent(candidate.txid, receipt))
        return Landing()

    def still(self, holding: Holding) -> bool:
        """Tell whether the block is on the chain now; a solid one always should be."""
        return self._read_block(holding.number).hash == holding.hash

    def next_nonce(self, wallet: str) -> int:  # noqa: ARG002 - TRON counts nothing
        """TRON has no nonces: the sequence is the clock's."""
        return 0

    @functools.cached_property
    def _moment(self) -> tuple[links.Block, int]:
        """The solid head and the newest block's time, read once for all that this gateway quotes. Units: ms."""
        solid = self._solid()
        return solid, min(block.at_ms for block in self._nodes.gather(Client.latest).values())

    @functools.cached_property
    def _prices(self) -> dict[str, int]:
        return fees.prices(self._nodes)

    def _identify(self, node: Client) -> None:
        chain_id = node.chain_id()
        if chain_id != self._network.chain_id:
            raise OtherChain(f"the endpoint is on chain {chain_id}, {self._network.name} is {self._network.chain_id}")

    def _solid(self) -> links.Block:
        """The newest solid block that all endpoints in good standing have."""
        solid: dict[str, links.Block] = {}

        def height(node: Client) -> int:
            solid[node.url] = node.solid()
            return solid[node.url].number

        number = self._nodes.common_height(self._nodes.gather(height), most_behind=self._network.most_behind)

        def common(node: Client) -> links.Block:
            return solid[node.url] if solid[node.url].number == number else node.block(number)

        return self._block.keep(self._nodes.agreed(common, everybody=True))

    def _landed(self, transfer: Transfer, candidate: Candidate, receipt: Receipt, head: Head) -> Judgement:
        last = min(receipt.number + self._network.confirmations - 1, head.final_number)
        blocks = links.stretch(self._block, receipt.number, last)
        entry = next((entry for entry in blocks[0].entries if entry.txid == candidate.txid), None)
        if entry is None:
            raise Retryable(f"a receipt names block {receipt.number}, which does not hold {candidate.txid}")
        told = facts.result(transfer, receipt)
        if (entry.result == facts.SUCCESS) != (told == facts.SUCCESS):
            raise Retryable(f"{candidate.txid}: the block says {entry.result}, the receipt {told}")
        proof = proofs.evidence(transfer, candidate.txid, receipt, blocks)
        spent = facts.spent(candidate.txid, receipt)
        if entry.result != facts.SUCCESS:
            failed = proof | {"reason": f"{entry.result} in a solid block"}
            return Judgement(Outcome.DEAD, candidate.txid, failed, spent=spent)
        if facts.pays(transfer, receipt):
            return Judgement(Outcome.PAID, candidate.txid, proof, spent=spent)
        alarm = f"{candidate.txid} is solid without the exact Transfer log: a person must look"
        return Judgement(note=alarm, alarm=alarm)

    def _expired(self, candidate: Candidate, head: Head) -> Judgement:
        """Prove that the transaction is in none of the blocks that could have taken it.

        A block may take it while its parent's time is before the expiration, so the first block at or past the
        expiration still counts; one more is read behind it.
        """
        expiration_ms = candidate.expiration_ms or 0
        blocks = links.stretch(self._block, candidate.ref_number, candidate.ref_number, first_hash=candidate.ref_hash)
        past = 0
        while past < 2:  # noqa: PLR2004 - the last block that may hold it, and one behind it
            following = blocks[-1].number + 1
            if following > head.final_number:
                return Judgement(note="expired; waiting for one more solid block to prove it")
            blocks += links.stretch(self._block, following, following, parent=blocks[-1].hash)
            past += blocks[-1].at_ms >= expiration_ms
        if any(candidate.txid in block.txids for block in blocks):
            raise Retryable(f"{candidate.txid} is in a solid block, but the node shows no receipt")
        proof = {"absent_from": links.ends(blocks), "expiration_ms": expiration_ms}
        return Judgement(note="expired, proven absent", expired={candidate.txid: proof})

    def _receipt(self, txid: str, *, upto: int) -> Receipt | None:
        """The receipt in a block up to that one; of later ones not all endpoints know yet."""

        def ask(node: Client) -> Receipt | None:
            receipt = node.receipt(txid)
            return receipt if receipt and receipt.number <= upto else None

        return self._nodes.agreed(ask)

    def _read_block(self, number: int) -> links.Block:
        return self._nodes.agreed(lambda node: node.block(number))

    def _balance(self, contract: str, wallet: str) -> Callable[[Client], int]:
        owner = build.account_hex(wallet)
        if contract == networks.NATIVE:
            return lambda node: int(node.account(owner, room=SOLIDITY).get("balance", 0))
        token, data = (
            build.account_hex(contract),
            token_abi.balance_call(addresses.account_bytes(build.NETWORK, wallet)),
        )
        return lambda node: int(node.constant(owner, token, data, room=SOLIDITY)["constant_result"][0], 16)
