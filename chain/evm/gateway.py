"""An EVM network as the protocol sees it: fees, final receipts, and who took a nonce."""

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chain import links, networks, proofs
from chain.endpoints import Endpoints, OtherChain
from chain.evm import build, facts, fees, holdings, nonces, rehearsal
from chain.evm.client import Client, Receipt, Tip, quantity
from chain.evm.history import History
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

KEPT_COUNTS = 4_096
SCAN_PAGE = 200  # blocks that one visit reads while it looks for a foreign nonce


class Gateway:
    """One EVM network during one sweep."""

    def __init__(self, network: str, urls: Sequence[str], *, timeout_s: float) -> None:
        self._network = networks.network(network)
        clients = [Client(url, timeout_s=timeout_s) for url in urls]
        self._nodes = Endpoints(network, clients, identify=self._identify)
        self._block = links.Kept(self._read_block, fetch_many=self._read_blocks)
        self._nonce = functools.lru_cache(KEPT_COUNTS)(self._read_nonce)
        self._seen: dict[str, int] = {}  # sightings above the final block: txid → height

    def head(self) -> Head:
        """The newest block that all endpoints in good standing have, and the one that has the network's confirmations.

        Raises: Permanent when the endpoint is on another chain.
        """
        return self._head(self._tips())

    def quote(self, transfer: Transfer, *, previous: Candidate | None) -> Quote:
        """EIP-1559 fees from the chain; a replacement pays at least 12.5 % more on both fields.

        Raises: FeeCeiling when the market is above the network's ceiling: the payment waits.
        """
        market, head = self._moment
        offered = fees.offer(market, previous=previous, ceiling_wei=self._network.fee_ceiling)
        anchor = self._anchor(transfer, head)
        return Quote({"gas": build.gas_limit(transfer), **offered}, anchor.number, anchor.hash)

    def read_ahead(self, candidates: Sequence[Candidate], *, head: Head, every: bool = False) -> None:  # noqa: ARG002 - a receipt tells how far a payment is
        """Read the receipts in one question per endpoint."""
        self._nodes.gather(lambda node: node.read_ahead([candidate.txid for candidate in candidates]))

    def quote_ahead(self, transfers: Sequence[Transfer]) -> None:
        """Nothing that a quote asks concerns its transfer alone."""

    def rehearse(self, transfers: Sequence[Transfer]) -> list[Obstacle | ChainError | None]:
        """Call what the transfers would call, at the newest block, with the gas that they would have."""
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
        hexed = [["0x" + raw.hex()] for raw in raws]
        return self._nodes.every(lambda node: node.each("eth_sendRawTransaction", hexed), number=len(raws))

    def judge(
        self,
        transfer: Transfer,
        candidates: Sequence[Candidate],
        *,
        head: Head,
        scan: Mapping[str, Any],
        now: datetime,
    ) -> Judgement:
        """Say what the final blocks say of any of the attempts, or of another transaction with their nonce."""
        for candidate in candidates:
            receipt = self._receipt(candidate.txid, upto=head.final_number)
            if receipt:
                return self._landed(transfer, candidate, receipt)
        seen = next((candidate.txid for candidate in candidates if candidate.txid in self._seen), None)
        if seen:
            depth = max(head.number - self._seen[seen] + 1, 0)
            note = f"in block {self._seen[seen]}, {depth} of {self._network.confirmations}"
            return Judgement(note=note, final_in=self._seen[seen] - head.final_number)
        if self._nonce(transfer.wallet, head.final_number) > transfer.seq:
            return self._nonce_taken(transfer, candidates, head=head, scan=scan)
        live = next((candidate for candidate in candidates if candidate.is_live), None)
        return Judgement(
            note="sent, in no block yet",
            bump_due=bool(live and self._is_stuck(transfer, live, head=head, now=now)),
            final_in=head.blocks_until_final(live),
        )

    def account(self, wallet: str, contracts: Collection[str]) -> Account:
        """What the wallet holds at the newest final block, which every call names by its hash (EIP-1898)."""
        head = self.head()
        held = {contract: self._held_at(head.final_hash, contract, [wallet])[0] for contract in contracts}
        return Account(head.final_number, held)

    def fee_units(self) -> int:
        """The whole gas limit at the price that would be signed now, or at the ceiling above which nothing is."""
        return fees.most_wei(self._nodes, self._tips(), self._network)

    def most_units(self, transfer: Transfer) -> int:
        """Its gas limit at the price that would be signed now, and its data's share on layer 1."""
        return fees.most_wei_of(self._nodes, transfer, self._moment[0])

    def cost_units(self, transfer: Transfer, quote: Quote) -> int:
        """The same at the quote's price."""
        return fees.most_wei_at(self._nodes, transfer, quote)

    def estimate(self, transfer: Transfer) -> Expected:
        """Its gas at today's price."""
        return fees.estimate(self._nodes, self._tips(), transfer)

    def held(self, contract: str, wallets: Collection[str], *, upto: int | None = None) -> Holding:
        """What the wallets hold below the newest common block, which every call names by its hash (EIP-1898)."""
        newest = self._common_height(self._tips()) - 1  # asked for the newest, anvil may show the next one's
        number = max(newest if upto is None else min(newest, upto), 0)
        block = self._nodes.agreed(lambda node: node.block(number), settled=False)
        return Holding(number, block.hash, self._held_at(block.hash, contract, wallets), contract, tuple(wallets))

    def landed(self, transfer: Transfer, candidates: Sequence[Candidate], holding: Holding) -> Landing:
        """What one of the attempts has done by that block."""
        for candidate in candidates:
            receipt = self._receipt(candidate.txid, upto=holding.number)
            if receipt:
                made = tuple(facts.made_by(transfer, receipt).get("made", ()))
                return Landing(facts.pays(transfer, receipt), facts.spent(candidate.txid, receipt), made)
        if self._nonce(transfer.wallet, holding.number) > transfer.seq:  # used there, by what is not shown
            raise Retryable(f"nonce {transfer.seq} is used in block {holding.number}, the node shows no receipt yet")
        return Landing()

    def still(self, holding: Holding) -> bool:
        """Tell whether the block is on the chain now, and the balances at it are what they were.

        A node may answer for its newest block out of a state that is already the next one's: anvil does while it mines.
        """
        block = self._nodes.agreed(lambda node: node.block(holding.number), settled=False)
        is_there = block.hash == holding.hash
        return is_there and self._held_at(holding.hash, holding.contract, holding.wallets) == holding.each

    def next_nonce(self, wallet: str) -> int:
        """The nonce after everything that the node knows of the wallet, waiting transactions included."""
        return self._nodes.agreed(lambda node: node.nonce(wallet, "pending"), settled=False)

    def _identify(self, node: Client) -> None:
        chain_id = quantity(node.call("eth_chainId"))
        if chain_id != self._network.chain_id:
            raise OtherChain(f"the endpoint is on chain {chain_id}, {self._network.name} is {self._network.chain_id}")

    @functools.cached_property
    def _moment(self) -> tuple[fees.Price, Head]:
        """Price and head, read once for all that this gateway quotes."""
        tips = self._tips()
        return fees.price(self._nodes, tips), self._head(tips)

    def _tips(self) -> dict[str, Tip]:
        return self._nodes.gather(lambda node: node.tip(self._network.final_tag))

    def _common_height(self, tips: Mapping[str, Tip]) -> int:
        heights = {label: tip.block.number for label, tip in tips.items()}
        return self._nodes.common_height(heights, most_behind=self._network.most_behind)

    def _head(self, tips: Mapping[str, Tip]) -> Head:
        number = self._common_height(tips)
        tagged = sorted((tip.final_number for tip in tips.values()), reverse=True)[self._nodes.needed - 1]
        final_number = min(max(number - self._network.confirmations + 1, 0), tagged)
        final = self._block.keep(self._nodes.agreed(lambda node: node.block(final_number), everybody=True))
        return Head.over(final, newest=(number, max(tip.block.at_ms for tip in tips.values())))

    def history(self) -> History:
        """What the final part of the chain says of a wallet's past.

        Raises: ChainError.
        """
        head = self.head()
        place = functools.partial(self._receipt, upto=head.final_number)
        return History(head, count=self._nonce, block=links.Kept(self._read_entries), receipt=place)

    def _is_stuck(self, transfer: Transfer, live: Candidate, *, head: Head, now: datetime) -> bool:
        """Tell whether higher fees would help: first in its wallet's line, and waiting or too cheap to be let in.

        Otherwise raising them would only burn money later: bytes that a node refuses for another reason (no gas in the
        wallet) and bytes behind a gap are sent again as they are.
        """
        if now - live.signed_at < timedelta(milliseconds=self._network.bump_after_ms):
            return False
        if self._nodes.first(lambda node: node.nonce(transfer.wallet, hex(head.number))) != transfer.seq:
            return False
        waiting = self._nodes.first(lambda node: node.call("eth_getTransactionByHash", live.txid))
        return bool(waiting) or self._nodes.first(Client.base_fee_wei) > live.fees["max_fee_wei"]

    def _landed(self, transfer: Transfer, candidate: Candidate, receipt: Receipt) -> Judgement:
        number = receipt.number
        last = number + self._network.confirmations - 1
        self._block.fill(number, last)
        blocks = links.stretch(self._block, number, last, first_hash=receipt.block_hash)
        if candidate.txid not in blocks[0].txids:
            raise Retryable(f"a receipt names block {number}, which does not hold {candidate.txid}")
        proof = proofs.evidence(transfer, candidate.txid, receipt, blocks)
        spent = facts.spent(candidate.txid, receipt)
        if receipt.status == facts.REVERTED:
            reverted = proof | {"reason": "reverted in a final block"}
            return Judgement(Outcome.DEAD, candidate.txid, reverted, spent=spent)
        if facts.pays(transfer, receipt):
            return Judgement(Outcome.PAID, candidate.txid, proof | facts.made_by(transfer, receipt), spent=spent)
        alarm = f"{candidate.txid} is final without the exact Transfer log: a person must look"
        return Judgement(note=alarm, alarm=alarm)

    def _nonce_taken(
        self, transfer: Transfer, candidates: Sequence[Candidate], *, head: Head, scan: Mapping[str, Any]
    ) -> Judgement:
        """Find the transaction that has the nonce; only its presence in a linked final block is evidence."""
        start = scan or {"number": candidates[0].ref_number, "hash": candidates[0].ref_hash}
        first = start["number"] + 1
        last = min(start["number"] + SCAN_PAGE, head.final_number)
        if first > last:
            alarm = f"nonce {transfer.seq} is used, but no final block since {candidates[0].ref_number} shows by what"
            return Judgement(note=alarm, alarm=alarm)
        blocks = links.stretch(self._read_entries, first, last, parent=start["hash"])
        for block in blocks:
            taker = facts.taker(transfer, block)
            if taker is None:
                continue
            if taker in {candidate.txid for candidate in candidates}:
                raise Retryable(f"{taker} is in block {block.number}, but the node shows no receipt")
            links.stretch(
                self._block, block.number, block.number + self._network.confirmations - 1, first_hash=block.hash
            )
            proof = facts.foreign(transfer, taker, block, blocks)
            receipt = self._receipt(taker, upto=block.number)
            if receipt is None:
                raise Retryable(f"{taker} is in block {block.number}, but the node shows no receipt")
            alarm = f"foreign transaction {taker} took nonce {transfer.seq}"
            return Judgement(Outcome.DEAD, taker, proof, alarm=alarm, spent=facts.spent(taker, receipt))
        return Judgement(
            note=f"nonce {transfer.seq} is used; looking for the transaction",
            scan={"number": blocks[-1].number, "hash": blocks[-1].hash},
        )

    def _anchor(self, transfer: Transfer, head: Head) -> links.Block:
        """The newest final block at which the nonce was still free: a later search begins there."""
        used = functools.partial(self._nonce, transfer.wallet)
        return self._block(nonces.free_at(transfer, used, self._read_entries, newest=head.final_number))

    def _receipt(self, txid: str, *, upto: int) -> Receipt | None:
        """The receipt in a block up to that one; a later sighting is only noted, endpoints may differ about it."""

        def ask(node: Client) -> Receipt | None:
            receipt = node.receipt(txid)
            if receipt and receipt.number > upto:
                self._seen[txid] = receipt.number
                return None
            return receipt

        return self._nodes.agreed(ask)

    def _read_block(self, number: int) -> links.Block:
        return self._nodes.agreed(lambda node: node.block(number))

    def _read_blocks(self, numbers: Sequence[int]) -> list[links.Block]:
        return self._nodes.agreed(lambda node: node.blocks(numbers))

    def _read_entries(self, number: int) -> links.Block:
        return self._nodes.agreed(lambda node: node.block(number, entries=True))

    def _read_nonce(self, wallet: str, number: int) -> int:
        return self._nodes.agreed(lambda node: node.nonce(wallet, hex(number)))

    def _held_at(self, block_hash: str, contract: str, wallets: Collection[str]) -> tuple[int, ...]:
        name, asked, at = self._network.name, list(wallets), {"blockHash": block_hash}
        return self._nodes.agreed(lambda node: holdings.read(node, name, contract, asked, at=at))
