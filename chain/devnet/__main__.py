"""A TRON dev node: `python -m chain.devnet --port 19090 --db tron.db --block-ms 500`.

It speaks the part of java-tron's `wallet/*` and `walletsolidity/*` JSON API that an unmodified tronpy needs to move TRX
and TRC20 tokens, and runs the token's real bytecode in py-evm. The levers under `dev/*` are listed in api/levers.py.

It is one producer that agrees with itself. What it simplifies:

- Transactions: TransferContract, TriggerSmartContract and FreezeBalanceV2Contract only. No deployment of contracts, no
  TRC10, no votes, no delegation. Every account has its own key as its single permission.
- Bandwidth and staked energy come back at midnight UTC instead of gradually over 24 hours, and a staked TRX gives a
  fixed amount of each. There is no common pool that the free bandwidth comes out of.
- Energy costs are TRON's, as engine.py lists them: a transfer of the local token takes 28,193 to a new holder and
  13,193 to an existing one. The dynamic energy model is one factor for all contracts (`energy_penalty_percent`), by
  default none. TRON's own precompiled contracts and opcodes are absent.
- A block's transaction root is a hash over the txids, not a Merkle tree; blocks carry no signature; the producer's
  address changes when a reorganisation begins a new fork.
- Blocks come when they are due or ordered, not in fixed slots; "the next slot" is the head's time plus `--block-ms`.
- A killed process loses the waiting transactions and the remembered txids, not a committed block.
"""

import argparse
import logging
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from chain.devnet import genesis
from chain.devnet.api import Api
from chain.devnet.api.levers import Levers
from chain.devnet.faults import Faults
from chain.devnet.node import Node
from chain.devnet.owner import Owner
from chain.devnet.parameters import Parameters
from chain.devnet.producer import Producer
from chain.devnet.server import Server
from chain.devnet.store import Store

log = logging.getLogger("chain.devnet")


def clock_ms() -> int:
    """Tell the time.

    Units: milliseconds.
    """
    return time.time_ns() // 1_000_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m chain.devnet", description="A TRON dev node.")
    parser.add_argument("--port", type=int, required=True, help="on the loopback interface")
    parser.add_argument("--db", type=Path, required=True, help="SQLite file; made if absent")
    parser.add_argument("--block-ms", type=int, default=3_000, help="time between blocks")
    parser.add_argument("--solid-lag", type=int, default=19, help="blocks until one is solid")
    parser.add_argument("--owner", help="hex private key of the dev owner of a new chain; by default a random one")
    return parser.parse_args()


def main() -> int:
    """Run the node until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="tron devnet: %(message)s")
    asked = arguments()
    store = Store(asked.db)
    if store.head() is None:
        owner_key = bytes.fromhex(asked.owner) if asked.owner else secrets.token_bytes(32)
        genesis.write(store, owner_key=owner_key, now_ms=clock_ms() - asked.block_ms)
    node = Node(store, parameters=Parameters(block_ms=asked.block_ms, solid_lag=asked.solid_lag), clock_ms=clock_ms)
    owner = Owner(node, key=bytes.fromhex(store.fact(genesis.OWNER_KEY) or ""))
    faults = Faults()
    server = Server(asked.port, api=Api(node, levers=Levers(owner=owner, faults=faults)), faults=faults)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    producer = Producer(node, stop=stop)
    producer.start()
    serving = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    serving.start()
    log.info("block %d on http://127.0.0.1:%d", node.head.number, asked.port)

    stop.wait()
    server.stopping.set()
    server.shutdown()
    server.server_close()
    producer.join()
    with node.lock:
        store.close()
    log.info("stopped at block %d", node.head.number)
    return 1 if producer.failed else 0


if __name__ == "__main__":
    sys.exit(main())
