"""How each kind of fault of the schedule is done to a house, its nodes and the proxies before them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from chain.token_abi import TRANSFER_TOPIC, word
from config.local import record, redis
from tests.chain import lies, proxy
from tests.chain.proxy import Proxy
from tests.chaos import nodes, schedule
from tests.chaos.nodes import EvmNode, Node, TronNode
from tests.chaos.schedule import Fault
from tests.flows.house import House

AT_ONCE = 12
INSIST_S = 6.0  # how long a lever is tried whose node is down
LIAR = 1  # the second endpoint, always the same: two that lie alike would be believed
SENDS = {"ethereum": "eth_sendRawTransaction", "tron": "wallet/broadcasthex"}
CONFIRMED = 20  # blocks: how deep a forged receipt says that it is


@dataclass(frozen=True)
class Liar:
    """What `lies` asks of a laboratory."""

    network: str


@dataclass
class Breaker:
    """Does the faults when they are due, each in a thread of its own; counts what was done and what could not be."""

    house: House
    nodes: Mapping[str, Node]
    proxies: Mapping[str, Sequence[Proxy]]
    wallets: Mapping[str, Sequence[str]]
    done: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)  # txids that were sent past the protocol
    _turns: dict[int, threading.Lock] = field(default_factory=dict)  # one misbehaviour at a time, by proxy

    def run(self, faults: Sequence[Fault]) -> None:
        """Do all of it; answers when the last one is over and everybody behaves."""
        begun_s = time.monotonic()
        self._turns = {id(one): threading.Lock() for some in self.proxies.values() for one in some}
        with ThreadPoolExecutor(AT_ONCE) as at_once:
            under_way = []
            for fault in faults:
                time.sleep(max(0.0, begun_s + fault.at_s - time.monotonic()))
                under_way.append(at_once.submit(self._do, fault))
        for doing in under_way:
            doing.result()  # an error here is the harness's own
        for some in self.proxies.values():
            for one in some:
                one.behave()

    def _do(self, fault: Fault) -> None:
        deadline = time.monotonic() + INSIST_S
        while True:
            try:
                counts = self.done if DOES[fault.kind](self, fault) is not False else self.missed
            except (nodes.Away, nodes.Refused):
                if time.monotonic() < deadline:
                    time.sleep(schedule.WAITS_S)
                    continue
                counts = self.missed
            counts[fault.name] += 1
            return

    def end(self, fault: Fault) -> bool:
        """SIGKILL what the kind names, with everything below it."""
        return self.house.end(fault.kind.removeprefix("kill "))

    def end_child(self, fault: Fault) -> bool:
        """SIGKILL one process of a pool."""
        pools = ("worker", "webhooks", "signer", "web")
        return self.house.end_child(pools[int(fault.pick * len(pools))], pick=fault.pick * len(pools) % 1)

    def end_node(self, fault: Fault) -> bool:
        """SIGKILL the node: what waited there is lost, on anvil the newest blocks too."""
        return self.house.end({"ethereum": "anvil"}.get(fault.network, fault.network))

    def flush_redis(self, fault: Fault) -> None:  # noqa: ARG002 - as all of them
        """Empty the broker and the counters."""
        with suppress(RedisError):  # it is down: then it is as good as empty
            redis.flush(record.published(self.house.data_dir)["REDIS_URL"])

    def reorg(self, fault: Fault) -> bool:
        """Other blocks in the place of the last ones."""
        return self.nodes[fault.network].reorg(fault.size, keep=fault.pick < 0.5)

    def drop(self, fault: Fault) -> bool:
        """Lose transactions that wait."""
        return self.nodes[fault.network].drop(self.wallets[fault.network], most=fault.size)

    def spike(self, fault: Fault) -> None:
        """Make gas dear at once."""
        self._evm(fault).spike(fault.size)

    def take_nonce(self, fault: Fault) -> None:
        """Use a wallet's next nonce for something else."""
        wallets = self.wallets[fault.network]
        self.foreign.append(self._evm(fault).take_nonce(wallets[int(fault.pick * len(wallets))]))

    def expire(self, fault: Fault) -> bool:
        """Let what waits expire."""
        node = self.nodes[fault.network]
        assert isinstance(node, TronNode)
        return node.expire(fault.size)

    def lose_replies(self, fault: Fault) -> None:
        """Every endpoint takes what is sent, and says nothing."""
        self._misbehave(fault, self.proxies[fault.network], lambda one: one.spoil(SENDS[fault.network], proxy.lost))

    def unavailable(self, fault: Fault) -> None:
        """503 from one endpoint or from all."""
        self._misbehave(fault, self._some(fault), lambda one: one.spoil("*", proxy.unavailable))

    def nothing(self, fault: Fault) -> None:
        """`null` from one endpoint or from all."""
        self._misbehave(fault, self._some(fault), lambda one: one.lie("*", None))

    def stale(self, fault: Fault) -> None:
        """The second endpoint's head is long ago."""
        self._lie(fault, lambda one: lies.stale(Liar(fault.network), one))

    def hidden(self, fault: Fault) -> None:
        """The second endpoint knows no receipts."""
        self._lie(fault, lambda one: lies.hidden(Liar(fault.network), one))

    def forged(self, fault: Fault) -> None:
        """The second endpoint calls everything paid and final that it has heard of."""
        forge = {"ethereum": forge_evm, "tron": forge_tron}[fault.network]
        self._lie(fault, lambda one: forge(self.nodes[fault.network], one))

    def _lie(self, fault: Fault, lie: Callable[[Proxy], None]) -> None:
        self._misbehave(fault, [self.proxies[fault.network][LIAR]], lie)

    def _some(self, fault: Fault) -> Sequence[Proxy]:
        """All endpoints, or any one of them: as often."""
        them = self.proxies[fault.network]
        return them if fault.pick < 0.5 else [them[int((fault.pick - 0.5) * 2 * len(them))]]

    def _misbehave(self, fault: Fault, them: Sequence[Proxy], spoil: Callable[[Proxy], None]) -> None:
        with ExitStack() as turns:
            for one in them:
                turns.enter_context(self._turns[id(one)])
                turns.callback(one.behave)
                spoil(one)
            time.sleep(fault.size)

    def _evm(self, fault: Fault) -> EvmNode:
        node = self.nodes[fault.network]
        assert isinstance(node, EvmNode)
        return node


def forge_evm(node: Node, lying: Proxy) -> None:
    """A receipt with the exact Transfer log, in a block that is final, for what is in none."""
    assert isinstance(node, EvmNode)

    def told(call: proxy.Call) -> object:
        shown = call.forward()
        try:
            sent = node.rpc("eth_getTransactionByHash", call.arguments[0])
            if shown or not sent or len(sent["input"]) < len("0xa9059cbb") + 128:
                return shown
            number = max(int(node.rpc("eth_blockNumber"), 16) - CONFIRMED, 0)
            block = node.rpc("eth_getBlockByNumber", hex(number), False)
        except (nodes.Away, nodes.Refused):
            return shown
        data = sent["input"][10:]
        topics = [TRANSFER_TOPIC.hex(), word(bytes.fromhex(sent["from"][2:])).hex(), data[:64]]
        log = {"address": sent["to"], "topics": ["0x" + topic for topic in topics], "data": "0x" + data[64:]}
        said = {"transactionHash": call.arguments[0], "blockNumber": hex(number), "blockHash": block["hash"]}
        return said | {"status": "0x1", "logs": [log], "gasUsed": hex(60_000), "effectiveGasPrice": hex(10**9)}

    lying.spoil("eth_getTransactionReceipt", told)


def forge_tron(node: Node, lying: Proxy) -> None:
    """The same for what waits or is not solid yet."""
    assert isinstance(node, TronNode)

    def told(call: proxy.Call) -> object:
        shown = call.forward()
        try:
            sent = node.ask("wallet/gettransactionbyid", value=call.arguments["value"])
            if shown or not sent:
                return shown
            solid = node.ask("walletsolidity/getnowblock")["block_header"]["raw_data"]["number"]
        except (nodes.Away, nodes.Refused):
            return shown
        value = sent["raw_data"]["contract"][0]["parameter"]["value"]
        source = word(bytes.fromhex(value["owner_address"])[-20:]).hex()
        log = {"address": value["contract_address"][2:], "topics": [TRANSFER_TOPIC.hex(), source, value["data"][8:72]]}
        said = {"id": call.arguments["value"], "blockNumber": max(solid - 1, 0), "receipt": {"result": "SUCCESS"}}
        return said | {"log": [log | {"data": value["data"][72:]}]}

    lying.spoil("walletsolidity/gettransactioninfobyid", told)


DOES: dict[str, Callable[[Breaker, Fault], object]] = {
    "kill worker": Breaker.end,
    "kill signer": Breaker.end,
    "kill webhooks": Breaker.end,
    "kill beat": Breaker.end,
    "kill web": Breaker.end,
    "kill a child": Breaker.end_child,
    "kill redis": Breaker.end,
    "flush redis": Breaker.flush_redis,
    "kill postgres": Breaker.end,
    "kill node": Breaker.end_node,
    "reorg": Breaker.reorg,
    "drop": Breaker.drop,
    "lost replies": Breaker.lose_replies,
    "503": Breaker.unavailable,
    "null": Breaker.nothing,
    "stale endpoint": Breaker.stale,
    "forged receipts": Breaker.forged,
    "hidden receipts": Breaker.hidden,
    "fee spike": Breaker.spike,
    "foreign nonce": Breaker.take_nonce,
    "expiry": Breaker.expire,
}
