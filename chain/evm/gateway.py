"""An EVM network as the protocol sees it: fees, final receipts, and who took a nonce."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from hexbytes import HexBytes

from chain import addresses, links, networks, token_abi
from chain.endpoints import Endpoints
from chain.evm import build
from chain.evm.client import Client, quantity
from chain.evm.history import History
from chain.gateway import (
    Answer,
    Candidate,
    Head,
    Holding,
    Judgement,
    Obstacle,
    Outcome,
    Permanent,
    Quote,
    Reading,
    Retryable,
    Reverted,
    Signature,
    Signed,
    Transfer,
)

LEAST_TIP_WEI = 10**6
SCAN_PAGE = 200  # blocks that one visit reads while it looks for a foreign nonce
SUCCESS, REVERTED = 1, 0


class Gateway:
    """One EVM network during one sweep."""

    def __init__(self, network: str, urls: Sequence[str], *, timeout_s: float) -> None:
        self._network = networks.network(network)
        self._nodes = Endpoints([Client(url, timeout_s=timeout_s) for url in urls])
        self._block = lru_cache(links.KEPT_BLOCKS)(self._read_block)

    def head(self) -> Head:
        """The newest block and the one that has the network's confirmations.

        Raises: Permanent when the endpoint is on another chain.
        """
        chain_id = quantity(self._nodes.first(lambda node: node.call("eth_chainId")))
        if chain_id != self._network.chain_id:
            raise Permanent(f"the endpoint is on chain {chain_id}, {self._network.name} is {self._network.chain_id}")
        latest = self._nodes.first(Client.latest)
        number = quantity(latest["number"])
        final = self._block(min(max(number - self._network.confirmations + 1, 0), self._tagged_final(number)))
        return Head(number, latest["hash"].lower(), final.number, final.hash, final.at_ms)

    def quote(self, transfer: Transfer, *, previous: Candidate | None) -> Quote:
        """EIP-1559 fees from the chain; a replacement pays at least 12.5 % more on both fields.

        Raises: Retryable also when the market is above the network's ceiling: the payment waits.
        """
        latest = self._nodes.first(Client.latest)
        tip = max(self._tip_wei(), LEAST_TIP_WEI)
        max_fee = 2 * quantity(latest.get("baseFeePerGas", "0x0")) + tip
        if previous:
            tip = max(tip, _raised(previous.fees["tip_wei"]))
            max_fee = max(max_fee, _raised(previous.fees["max_fee_wei"]))
        if max_fee > self._network.fee_ceiling:
            raise Retryable(f"max fee {max_fee} wei is above the ceiling {self._network.fee_ceiling}")
        anchor = self._anchor(transfer, self.head())
        fees = {"gas": build.gas_limit(transfer), "max_fee_wei": max_fee, "tip_wei": min(tip, max_fee)}
        return Quote(fees, ref_number=anchor.number, ref_hash=anchor.hash)

    def rehearse(self, transfer: Transfer) -> Obstacle | None:
        """Call what the transfer would call, at the newest block, with the gas that it would have."""
        to, value, data = build.call(transfer)
        gas = hex(self._network.transfer_resource)
        call = {"from": transfer.wallet, "to": to, "value": hex(value), "data": "0x" + data.hex(), "gas": gas}
        try:
            self._nodes.first(lambda node: node.call("eth_call", call, "latest"))
        except Reverted as refused:
            return Obstacle(str(refused))
        return None

    def digest(self, transfer: Transfer, quote: Quote) -> bytes:
        """The hash to sign."""
        return build.digest(transfer, quote)

    def attach(self, transfer: Transfer, quote: Quote, signature: Signature) -> Signed:
        """The bytes to send."""
        return build.attach(transfer, quote, signature)

    def read(self, raw: bytes) -> Reading:
        """Decode signed bytes."""
        return build.read(raw)

    def send(self, raw: bytes) -> list[Answer]:
        """Send the bytes to every node; what a node calls the transaction is of no interest."""
        return self._nodes.every(lambda node: str(node.call("eth_sendRawTransaction", "0x" + raw.hex())))

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
        note = ""
        for candidate in candidates:
            receipt = self._receipt(candidate.txid)
            if receipt is None:
                continue
            number = quantity(receipt["blockNumber"])
            if number <= head.final_number:
                return self._landed(transfer, candidate, receipt)
            note = f"{candidate.txid} is in block {number}, {head.number - number + 1} of {self._network.confirmations}"
        if note:
            return Judgement(note=note)
        if self._nonce(transfer.wallet, head.final_number) > transfer.seq:
            return self._nonce_taken(transfer, candidates, head=head, scan=scan)
        live = next((candidate for candidate in candidates if candidate.is_live), None)
        return Judgement(
            note="sent, in no block yet", bump_due=bool(live and self._is_stuck(transfer, live, head=head, now=now))
        )

    def balance_units(self, contract: str, wallets: Collection[str]) -> int:
        """What the wallets hold now."""
        return sum(self._balance(contract, wallet, "latest") for wallet in wallets)

    def held(self, contract: str, wallets: Collection[str]) -> Holding:
        """What the wallets hold at the newest block, which every call names by its hash (EIP-1898)."""
        latest = self._nodes.first(Client.latest)
        at = {"blockHash": latest["hash"]}
        units = sum(self._balance(contract, wallet, at) for wallet in wallets)
        return Holding(quantity(latest["number"]), latest["hash"].lower(), units)

    def landed(self, transfer: Transfer, candidates: Sequence[Candidate], holding: Holding) -> bool:
        """Tell whether one of the attempts has paid by that block."""
        for candidate in candidates:
            receipt = self._receipt(candidate.txid)
            if receipt and quantity(receipt["blockNumber"]) <= holding.number:
                return _pays(transfer, receipt)
        if self._nonce(transfer.wallet, holding.number) > transfer.seq:  # used there, by what is not shown
            raise Retryable(f"nonce {transfer.seq} is used in block {holding.number}, the node shows no receipt yet")
        return False

    def still(self, holding: Holding) -> bool:
        """Tell whether the block is on the chain now."""
        return self._read_block(holding.number).hash == holding.hash

    def next_nonce(self, wallet: str) -> int:
        """The nonce after everything that the node knows of the wallet, waiting transactions included."""
        return self._nodes.first(lambda node: node.nonce(wallet, "pending"))

    def history(self) -> History:
        """What the final part of the chain says of a wallet's past.

        Raises: ChainError.
        """
        return History(self.head(), count=self._nonce, block=self._block, receipt=self._receipt)

    def _tagged_final(self, newest: int) -> int:
        """The newest block that the node itself calls final in the network's own word, if it has one for it."""
        if not self._network.final_tag:
            return newest
        block = self._nodes.first(lambda node: node.call("eth_getBlockByNumber", self._network.final_tag, False))
        if not isinstance(block, dict):
            raise Retryable(f"the node knows no {self._network.final_tag} block")
        return quantity(block["number"])

    def _is_stuck(self, transfer: Transfer, live: Candidate, *, head: Head, now: datetime) -> bool:
        """Tell whether higher fees would help: first in its wallet's line, and waiting or too cheap to be let in.

        Otherwise raising them would only burn money later: bytes that a node refuses for another reason (no gas in the
        wallet) and bytes behind a gap are sent again as they are.
        """
        if now - live.signed_at < timedelta(milliseconds=self._network.bump_after_ms):
            return False
        if self._nonce(transfer.wallet, head.number) != transfer.seq:
            return False
        base_fee = quantity(self._nodes.first(Client.latest).get("baseFeePerGas", "0x0"))
        waiting = self._nodes.first(lambda node: node.call("eth_getTransactionByHash", live.txid))
        return bool(waiting) or base_fee > live.fees["max_fee_wei"]

    def _landed(self, transfer: Transfer, candidate: Candidate, receipt: Mapping[str, Any]) -> Judgement:
        number = quantity(receipt["blockNumber"])
        blocks = links.stretch(
            self._block, number, number + self._network.confirmations - 1, first_hash=str(receipt["blockHash"]).lower()
        )
        if candidate.txid not in blocks[0].txids:
            raise Retryable(f"a receipt names block {number}, which does not hold {candidate.txid}")
        proof = {"txid": candidate.txid, "chain": links.ends(blocks), "status": quantity(receipt["status"])}
        if proof["status"] == REVERTED:
            return Judgement(Outcome.DEAD, candidate.txid, proof | {"reason": "reverted in a final block"})
        if proof["status"] == SUCCESS and _pays(transfer, receipt):
            shown = {"log": "exact Transfer"} if transfer.contract else {}
            return Judgement(Outcome.PAID, candidate.txid, proof | shown)
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
        blocks = links.stretch(self._block, first, last, parent=start["hash"])
        for block in blocks:
            taker = _taker(transfer, block)
            if taker is None:
                continue
            if taker in {candidate.txid for candidate in candidates}:
                raise Retryable(f"{taker} is in block {block.number}, but the node shows no receipt")
            links.stretch(
                self._block, block.number, block.number + self._network.confirmations - 1, first_hash=block.hash
            )
            proof = {
                "reason": "another transaction took the nonce in a final block",
                "nonce": transfer.seq,
                "foreign_txid": taker,
                "block": {"number": block.number, "hash": block.hash},
                "chain": links.ends(blocks),
            }
            return Judgement(Outcome.DEAD, taker, proof, alarm=f"foreign transaction {taker} took nonce {transfer.seq}")
        return Judgement(
            note=f"nonce {transfer.seq} is used; looking for the transaction",
            scan={"number": blocks[-1].number, "hash": blocks[-1].hash},
        )

    def _anchor(self, transfer: Transfer, head: Head) -> links.Block:
        """The newest final block at which the nonce was still free: a later search begins there."""
        if self._nonce(transfer.wallet, head.final_number) <= transfer.seq:
            return self._block(head.final_number)
        free, taken = 0, head.final_number
        while taken - free > 1:
            middle = (free + taken) // 2
            if self._nonce(transfer.wallet, middle) <= transfer.seq:
                free = middle
            else:
                taken = middle
        return self._block(free)

    def _receipt(self, txid: str) -> dict[str, Any] | None:
        return self._nodes.first(lambda node: node.receipt(txid))

    def _read_block(self, number: int) -> links.Block:
        return self._nodes.first(lambda node: node.block(number))

    def _nonce(self, wallet: str, number: int) -> int:
        return self._nodes.first(lambda node: node.nonce(wallet, hex(number)))

    def _tip_wei(self) -> int:
        try:
            return quantity(self._nodes.first(lambda node: node.call("eth_maxPriorityFeePerGas")))
        except Permanent:  # not every network has the method; the least tip does there
            return LEAST_TIP_WEI

    def _balance(self, contract: str, wallet: str, at: str | dict[str, str]) -> int:
        if contract == networks.NATIVE:
            return quantity(self._nodes.first(lambda node: node.call("eth_getBalance", wallet, at)))
        account = addresses.account_bytes(self._network.name, wallet)
        call = {"to": contract, "data": "0x" + token_abi.balance_call(account).hex()}
        return quantity(self._nodes.first(lambda node: node.call("eth_call", call, at)))


def _raised(wei: int) -> int:
    """At least 12.5 % more."""
    return -(-wei * 9 // 8) + 1


def _taker(transfer: Transfer, block: links.Block) -> str | None:
    wallet = transfer.wallet.lower()
    for entry in block.transactions:
        if entry["from"].lower() == wallet and quantity(entry["nonce"]) == transfer.seq:
            return str(entry["hash"]).lower()
    return None


def _pays(transfer: Transfer, receipt: Mapping[str, Any]) -> bool:
    """Tell whether the receipt is a success with exactly one Transfer of ours from the token's contract.

    A transaction that calls no contract does what its bytes say when it succeeds, and its txid names those bytes.
    """
    if transfer.contract == networks.NATIVE:
        return quantity(receipt["status"]) == SUCCESS
    logs = [
        token_abi.Log(HexBytes(log["address"]), [HexBytes(topic) for topic in log["topics"]], HexBytes(log["data"]))
        for log in receipt["logs"]
    ]
    return quantity(receipt["status"]) == SUCCESS and token_abi.pays(transfer, logs)
