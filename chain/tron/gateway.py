"""TRON as the protocol sees it: energy, solid blocks, and the proof that an expired transaction never was.

Source: java-tron Manager.validateCommon (a block takes a transaction only while its expiration is after the parent
block's time), Manager.validateTapos, Wallet.broadcastTransaction.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from chain import addresses, links, networks, token_abi
from chain.endpoints import Endpoints
from chain.gateway import (
    Answer,
    Candidate,
    Head,
    Holding,
    Judgement,
    Obstacle,
    Outcome,
    Quote,
    Reading,
    Retryable,
    Signature,
    Signed,
    Transfer,
)
from chain.tron import build, client
from chain.tron.client import Client

VALID_FOR_MS = 60_000
SUCCESS = "SUCCESS"
CONTRACT = "Contract"  # an account's type
SOLIDITY = "walletsolidity"


class Gateway:
    """TRON during one sweep."""

    def __init__(self, network: str, urls: Sequence[str], *, timeout_s: float) -> None:
        self._network = networks.network(network)
        self._nodes = Endpoints([Client(url, timeout_s=timeout_s) for url in urls])
        self._block = lru_cache(links.KEPT_BLOCKS)(self._read_block)

    def head(self) -> Head:
        """The newest block and the newest solid one."""
        solid = self._nodes.first(Client.solid)
        latest = self._nodes.first(Client.latest)
        return Head(latest.number, latest.hash, solid.number, solid.hash, solid.at_ms)

    def quote(self, transfer: Transfer, *, previous: Candidate | None) -> Quote:  # noqa: ARG002 - TRON replaces nothing
        """A solid reference block, an expiration by the chain's clock, a fee limit from what the call needs.

        Raises: Retryable also when the price is above the network's ceiling: the payment waits.
        """
        fee_limit_sun = self._fee_limit_sun(transfer)
        solid = self._nodes.first(Client.solid)
        latest = self._nodes.first(Client.latest)
        return Quote(
            fees={"fee_limit_sun": fee_limit_sun},
            ref_number=solid.number,
            ref_hash=solid.hash,
            ref_mark=build.ref_mark(solid.hash),
            expiration_ms=latest.at_ms + VALID_FOR_MS,
        )

    def rehearse(self, transfer: Transfer) -> Obstacle | None:
        """Run a token's call without a transaction; TRX goes to everything but a contract."""
        if transfer.contract == networks.NATIVE:
            account = self._account(transfer.to_address, room="wallet")
            if account.get("type") == CONTRACT:  # no block takes such a transaction
                return Obstacle("TRON moves no TRX to a contract", in_a_block=False)
            return None
        answer = self._call(transfer)
        return Obstacle(client.words(answer)) if client.reverted(answer) else None

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
        return self._nodes.every(lambda node: node.broadcast(raw))

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
            info = self._info(candidate.txid)
            if info and candidate.is_live:
                return self._landed(transfer, candidate, info, head)
            if info:
                alarm = f"{candidate.txid} is solid although it was proven absent: the endpoints must be looked at"
                return Judgement(note=alarm, alarm=alarm)
        live = next((candidate for candidate in candidates if candidate.is_live), None)
        if live is None:
            return Judgement(note="expired, to be signed again")
        if live.expiration_ms is not None and head.final_ms > live.expiration_ms:
            return self._expired(live, head)
        return Judgement(note="sent, in no solid block yet")

    def balance_units(self, contract: str, wallets: Collection[str]) -> int:
        """What the wallets hold now."""
        return sum(self._balance(contract, wallet, room="wallet") for wallet in wallets)

    def held(self, contract: str, wallets: Collection[str]) -> Holding:
        """What the wallets hold at a solid block: a node answers for its solid head, which must not move meanwhile.

        Raises: Retryable when it did.
        """
        before = self._nodes.first(Client.solid)
        units = sum(self._balance(contract, wallet, room=SOLIDITY) for wallet in wallets)
        after = self._nodes.first(Client.solid)
        if before.hash != after.hash:
            raise Retryable("the solid head moved while balances were read")
        return Holding(before.number, before.hash, units)

    def landed(self, transfer: Transfer, candidates: Sequence[Candidate], holding: Holding) -> bool:
        """Tell whether one of the attempts has paid by that block."""
        for candidate in candidates:
            info = self._info(candidate.txid)
            if info and int(info["blockNumber"]) <= holding.number:
                return _pays(transfer, info)
        return False

    def still(self, holding: Holding) -> bool:
        """Tell whether the block is on the chain now; a solid one always should be."""
        return self._read_block(holding.number).hash == holding.hash

    def next_nonce(self, wallet: str) -> int:  # noqa: ARG002 - TRON counts nothing
        """TRON has no nonces: the sequence is the clock's."""
        return 0

    def _landed(self, transfer: Transfer, candidate: Candidate, info: Mapping[str, Any], head: Head) -> Judgement:
        number = int(info["blockNumber"])
        if number > head.final_number:
            return Judgement(note=f"{candidate.txid} is in block {number}, newly solid")
        last = min(number + self._network.confirmations - 1, head.final_number)
        blocks = links.stretch(self._block, number, last)
        entry = next((entry for entry in blocks[0].transactions if entry["txID"] == candidate.txid), None)
        if entry is None:
            raise Retryable(f"a receipt names block {number}, which does not hold {candidate.txid}")
        result = entry["ret"][0]["contractRet"]
        receipt = _result(transfer, info)
        if (result == SUCCESS) != (receipt == SUCCESS):
            raise Retryable(f"{candidate.txid}: the block says {result}, the receipt {receipt}")
        proof = {"txid": candidate.txid, "chain": links.ends(blocks), "result": result}
        if result != SUCCESS:
            return Judgement(Outcome.DEAD, candidate.txid, proof | {"reason": f"{result} in a solid block"})
        if _pays(transfer, info):
            shown = {"log": "exact Transfer"} if transfer.contract else {}
            return Judgement(Outcome.PAID, candidate.txid, proof | shown)
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

    def _fee_limit_sun(self, transfer: Transfer) -> int:
        """Energy of the call with a fifth of headroom, at the chain's price; moving TRX takes none."""
        if transfer.contract == networks.NATIVE:
            return 0
        answer = self._call(transfer)
        energy = int(answer.get("energy_used", 0))
        if client.reverted(answer) or energy <= 0:  # its end must come from a block, not from a simulation
            energy = self._network.transfer_resource
        listed = self._nodes.first(lambda node: node.call("wallet/getchainparameters"))["chainParameter"]
        price = next(int(entry["value"]) for entry in listed if entry["key"] == "getEnergyFee")
        if energy * price > self._network.fee_ceiling:
            raise Retryable(f"{energy} energy at {price} sun is above the ceiling {self._network.fee_ceiling}")
        return min(energy * price * 6 // 5, self._network.fee_ceiling)

    def _call(self, transfer: Transfer) -> dict[str, Any]:
        """What the token's call would do now."""
        to_account = addresses.account_bytes(self._network.name, transfer.to_address)
        data = token_abi.transfer_call(to_account, transfer.amount_units)
        owner, contract = build.account_hex(transfer.wallet), build.account_hex(transfer.contract)
        return self._nodes.first(lambda node: node.constant(owner, contract, data))

    def _account(self, address: str, *, room: str) -> dict[str, Any]:
        """An account as a node has it; {} for one that was never used."""
        account = self._nodes.first(lambda node: node.call(f"{room}/getaccount", address=build.account_hex(address)))
        if not isinstance(account, dict):
            raise Retryable(f"{room}/getaccount: not an account")
        return account

    def _info(self, txid: str) -> dict[str, Any] | None:
        return self._nodes.first(lambda node: node.info(txid))

    def _read_block(self, number: int) -> links.Block:
        return self._nodes.first(lambda node: node.block(number))

    def _balance(self, contract: str, wallet: str, *, room: str) -> int:
        if contract == networks.NATIVE:
            return int(self._account(wallet, room=room).get("balance", 0))
        owner = build.account_hex(wallet)
        data = token_abi.balance_call(addresses.account_bytes(self._network.name, wallet))
        answer = self._nodes.first(lambda node: node.constant(owner, build.account_hex(contract), data, room=room))
        return int(answer["constant_result"][0], 16)


def _result(transfer: Transfer, info: Mapping[str, Any]) -> str | None:
    """How it ended by its receipt; what calls no contract has no result there but the transaction's own."""
    if transfer.contract == networks.NATIVE:
        return str(info.get("result", SUCCESS))
    result: str | None = info["receipt"].get("result")
    return result


def _pays(transfer: Transfer, info: Mapping[str, Any]) -> bool:
    """Tell whether the receipt is a success with exactly one Transfer of ours from the token's contract.

    TRX goes where the signed bytes say when they succeed, and the txid is the hash of those bytes.
    """
    if _result(transfer, info) != SUCCESS:
        return False
    if transfer.contract == networks.NATIVE:
        return True
    logs = [
        token_abi.Log(
            bytes.fromhex(log["address"])[-token_abi.ACCOUNT :],
            [bytes.fromhex(topic) for topic in log["topics"]],
            bytes.fromhex(log.get("data", "")),
        )
        for log in info.get("log", [])
    ]
    return token_abi.pays(transfer, logs)
