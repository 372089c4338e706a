"""What `gettransactioninfobyid` tells about a transaction."""

from collections.abc import Mapping
from typing import Any

from chain.devnet import addresses, engine
from chain.devnet.execution import Receipt
from chain.devnet.transactions import Transaction


def info(transaction: Transaction, receipt: Receipt, *, number: int, timestamp_ms: int) -> dict[str, Any]:
    """Write a receipt in its stored form: addresses and messages in hex, as without `visible`."""
    # fmt: off
    costs = {
        "energy_usage":         receipt.staked_energy,
        "energy_fee":           receipt.energy_fee_sun,
        "energy_usage_total":   receipt.energy,
        "energy_penalty_total": receipt.energy_penalty,
        "net_usage":            receipt.bandwidth,
        "net_fee":              receipt.bandwidth_fee_sun,
    }
    # fmt: on
    told: dict[str, Any] = {
        "id": transaction.txid.hex(),
        "blockNumber": number,
        "blockTimeStamp": timestamp_ms,
        "contractResult": [receipt.output.hex()],
        "receipt": {name: cost for name, cost in costs.items() if cost},
    }
    if receipt.fee_sun:
        told["fee"] = receipt.fee_sun
    if receipt.contract:
        told["contract_address"] = addresses.hex41(receipt.contract)
        told["receipt"]["result"] = receipt.result
    if receipt.logs:
        told["log"] = [
            {"address": log.address.hex(), "topics": [topic.hex() for topic in log.topics], "data": log.data.hex()}
            for log in receipt.logs
        ]
    if receipt.result != engine.SUCCESS:
        told["result"] = "FAILED"
        told["resMessage"] = receipt.message.encode().hex()
    return told


def show(told: Mapping[str, Any], *, visible: bool) -> dict[str, Any]:
    """Write a stored receipt as the request asked for it."""
    shown = dict(told)
    if not visible:
        return shown
    if "contract_address" in told:
        shown["contract_address"] = addresses.base58check(addresses.parse(told["contract_address"]))
    if "log" in told:
        shown["log"] = [log | {"address": addresses.base58check(bytes.fromhex(log["address"]))} for log in told["log"]]
    if "resMessage" in told:
        shown["resMessage"] = bytes.fromhex(told["resMessage"]).decode()
    return shown
