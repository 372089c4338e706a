"""A TRON dev node of a test's own, and the people in its tests."""

import os
import sys
from pathlib import Path
from typing import Any

import requests
from tronpy import Tron
from tronpy.keys import PrivateKey
from tronpy.providers import HTTPProvider

from config.local import ports, tron
from config.local.place import ROOT
from config.local.processes import Child, Spec

USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
TRX = 1_000_000
FEE_LIMIT = 30 * TRX
MANUAL_BLOCK_MS = 3_000  # blocks come only from `mine`; this decides what "the next slot" is


class DevNode:
    """A node on a chain of its own that makes blocks only when told to."""

    def __init__(self, folder: Path, *, solid_lag: int = 5) -> None:
        port = ports.unused()
        self.url = f"http://127.0.0.1:{port}"
        self.database = folder / "chain.db"
        command = [sys.executable, "-W", "error", "-m", "chain.devnet", "--port", str(port), "--db", str(self.database)]
        self.child = Child(
            Spec(
                name="tron",
                command=[*command, "--block-ms", str(MANUAL_BLOCK_MS), "--solid-lag", str(solid_lag)],
                env={"PATH": os.defpath, "HOME": str(folder)},
                cwd=ROOT,
                log=folder / "log",
                ready=lambda: tron.answers(self.url),
            )
        )

    def start(self) -> "DevNode":
        """Start it, with the block producer off."""
        self.child.start()
        self.child.wait_ready(timeout_s=30)
        self.dev("mining", on=False)
        return self

    def stop(self) -> None:
        self.child.stop()

    def kill(self) -> None:
        process = self.child.process
        assert process is not None
        process.kill()
        process.wait()

    def post(self, path: str, **body: Any) -> Any:
        return requests.post(f"{self.url}/{path}", json=body, timeout=10).json()

    def dev(self, lever: str, **body: Any) -> Any:
        answer = self.post(f"dev/{lever}", **body)
        assert "Error" not in answer, answer
        return answer

    def mine(self, blocks: int = 1) -> Any:
        return self.dev("mine", n=blocks)

    def tronpy(self) -> Tron:
        return Tron(HTTPProvider(self.url + "/"))


class Person:
    """Somebody with a key on the dev chain."""

    def __init__(self, node: DevNode) -> None:
        self.node = node
        self.client = node.tronpy()
        self.key = PrivateKey.random()
        self.address: str = self.key.public_key.to_base58check_address()

    def rich(self, *, trx: int = 1_000, units: int = 1_000_000_000) -> "Person":
        """Give TRX and tokens, in one block."""
        if trx:
            self.node.dev("credit", address=self.address, sun=trx * TRX)
        if units:
            self.node.dev("mint", address=self.address, units=units)
        self.node.mine()
        return self

    def sun(self) -> int:
        return int(self.node.post("wallet/getaccount", address=self.address, visible=True).get("balance", 0))

    def units(self) -> int:
        return int(self.client.get_contract(USDT).functions.balanceOf(self.address))

    def pay(self, to: str, units: int, *, fee_limit: int = FEE_LIMIT, **changes: int) -> Any:
        """Build offline and sign a TRC20 transfer, with fields of the raw data changed before signing."""
        method = self.client.get_contract(USDT).functions.transfer
        builder = method.with_owner(self.address)(to, units).fee_limit(fee_limit)
        builder._raw_data.update(changes)  # noqa: SLF001 - tronpy has setters for some of them only
        reference = self.client.get_latest_solid_block_id()
        payment = builder.build(offline=True, ref_block_id=reference)
        payment._client = self.client  # noqa: SLF001 - an offline build knows none, and broadcast() wants one
        return payment.sign(self.key)

    def info(self, payment: Any) -> Any:
        return self.node.post("wallet/gettransactioninfobyid", value=payment.txid)


def refusal(answer: Any) -> tuple[str, str]:
    """Read code and message of a refused broadcast."""
    return answer["code"], bytes.fromhex(answer["message"]).decode()


def broadcast(payment: Any, node: DevNode) -> Any:
    """Send a signed transaction without tronpy's translation of the answer."""
    return node.post("wallet/broadcasttransaction", **payment.to_json())
