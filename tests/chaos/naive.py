"""The rule that pays twice: no answer, or no receipt in time, means "failed" – sign anew, and send again.

It keeps no bytes, asks one endpoint after the other, and takes the newest receipt for the end.
"""

import itertools
import queue
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from eth_keys.datatypes import PrivateKey

from chain import addresses, networks
from chain.devnet import seed
from chain.evm import build as evm_build
from chain.gateway import Quote, Signature, Transfer
from chain.tron import build as tron_build
from tests.chaos import audit, nodes
from tests.chaos.orders import Order

PAYERS = 4  # wallets per network, each paying one order at a time
RECEIPT_S, POLL_S = 6.0, 0.2
FUND_UNITS, COIN = 10**9, {"ethereum": 10**20, "tron": 10**12}
FEES = {"gas": 120_000, "max_fee_wei": 100 * 10**9, "tip_wei": 10**9}
VALID_MS = 60_000


@dataclass
class Payer:
    """Pays the orders of one network out of its own wallets."""

    network: str
    node_url: str
    endpoints: Sequence[str]
    orders: Sequence[Order]
    stopped: Callable[[], bool]
    paid: dict[str, list[audit.Entry]] = field(default_factory=dict)
    keys: list[PrivateKey] = field(default_factory=list)

    @property
    def wallets(self) -> list[str]:
        """Their addresses."""
        return [addresses.from_bytes(self.network, key.public_key.to_canonical_address()) for key in self.keys]

    def fund(self) -> None:
        """Make the wallets, with tokens and gas."""
        self.keys = [PrivateKey(secrets.token_bytes(32)) for _ in range(PAYERS)]
        for wallet in self.wallets:
            fund(self.network, self.node_url, wallet, units=FUND_UNITS)

    def run(self) -> None:
        """Pay every order when it is due."""
        begun_s, waiting = time.monotonic(), queue.SimpleQueue[Order]()
        for order in self.orders:
            waiting.put(order)
        with ThreadPoolExecutor(len(self.keys)) as at_once:
            list(at_once.map(lambda key: self._pay_all(key, waiting, begun_s), self.keys))

    def _pay_all(self, key: PrivateKey, waiting: "queue.SimpleQueue[Order]", begun_s: float) -> None:
        endpoints = itertools.cycle(self.endpoints)
        while not waiting.empty() and not self.stopped():
            try:
                order = waiting.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0.0, begun_s + order.at_s - time.monotonic()))
            self.paid[order.to] = [audit.Entry("PROCESSING", order.amount_units)]
            while not self.stopped():
                if self._try(key, order, endpoints):
                    self.paid[order.to] = [audit.Entry(audit.COMPLETED, order.amount_units)]
                    break

    def _try(self, key: PrivateKey, order: Order, endpoints: Iterator[str]) -> bool:
        """One transaction; anything but its receipt in time is a failure."""
        chain = CHAINS[self.network]
        wallet = addresses.from_bytes(self.network, key.public_key.to_canonical_address())
        try:
            seq, quote = chain.quote(next(endpoints), wallet)
            contract = networks.token(self.network, "USDT").contract
            transfer = Transfer(self.network, wallet, seq, contract, order.to, order.amount_units)
            sealed = key.sign_msg_hash(chain.build.digest(transfer, quote))
            signed = chain.build.attach(transfer, quote, Signature(sealed.r, sealed.s, sealed.v))
            chain.send(next(endpoints), signed.raw)
        except (nodes.Away, nodes.Refused, TypeError, KeyError, ValueError):
            time.sleep(POLL_S)
            return False
        deadline = time.monotonic() + RECEIPT_S
        while time.monotonic() < deadline:
            try:
                if chain.is_mined(next(endpoints), signed.txid):
                    return True
            except (nodes.Away, nodes.Refused, TypeError, KeyError):
                pass  # asked again in a moment
            time.sleep(POLL_S)
        return False


class Evm:
    """What the rule asks of an EVM node."""

    build: Any = evm_build

    @staticmethod
    def quote(url: str, wallet: str) -> tuple[int, Quote]:
        """The next nonce, and fees that suffice."""
        node = nodes.EvmNode("ethereum", url)
        return int(node.rpc("eth_getTransactionCount", wallet, "pending"), 16), Quote(FEES, 0, "")

    @staticmethod
    def send(url: str, raw: bytes) -> None:
        """Raises: Away, Refused."""
        nodes.EvmNode("ethereum", url).rpc("eth_sendRawTransaction", "0x" + raw.hex())

    @staticmethod
    def is_mined(url: str, txid: str) -> bool:
        """Whether it has a receipt that tells of success."""
        receipt = nodes.EvmNode("ethereum", url).rpc("eth_getTransactionReceipt", txid)
        return bool(receipt) and receipt["status"] == "0x1"


class Tron:
    """What the rule asks of a TRON node."""

    build: Any = tron_build

    @staticmethod
    def quote(url: str, wallet: str) -> tuple[int, Quote]:  # noqa: ARG004 - TRON counts nothing
        """A moment of its own, and a solid block."""
        node = nodes.TronNode("tron", url)
        solid = node.ask("walletsolidity/getnowblock")["blockID"]
        head_ms = int(node.ask("wallet/getnowblock")["block_header"]["raw_data"]["timestamp"])
        mark = tron_build.ref_mark(solid)
        quote = Quote({"fee_limit_sun": 10**8}, int(solid[:16], 16), solid, mark, head_ms + VALID_MS)
        return time.time_ns() // 1_000_000, quote

    @staticmethod
    def send(url: str, raw: bytes) -> None:
        """Raises: Away, Refused."""
        answer = nodes.TronNode("tron", url).ask("wallet/broadcasthex", transaction=raw.hex())
        if answer.get("result") is not True:
            raise nodes.Refused(str(answer))

    @staticmethod
    def is_mined(url: str, txid: str) -> bool:
        """Whether it has a receipt that tells of success."""
        info = nodes.TronNode("tron", url).ask("wallet/gettransactioninfobyid", value=txid)
        return bool(info) and info["receipt"].get("result") == "SUCCESS"


CHAINS: dict[str, type[Evm] | type[Tron]] = {"ethereum": Evm, "tron": Tron}


def fund(network: str, node_url: str, wallet: str, *, units: int) -> None:
    """Tokens and gas for a wallet."""
    contract = networks.token(network, "USDT").contract
    if network == "tron":
        seed.fund_tron(node_url, address=wallet, sun=COIN[network])
        seed.mint_tron(node_url, contract=contract, to=wallet, units=units)
    else:
        seed.fund_evm(node_url, address=wallet, wei=COIN[network])
        seed.mint_evm(node_url, contract=contract, to=wallet, units=units)
