"""The HTTP API: which path asks for what."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from chain.devnet import refusals
from chain.devnet.api import account_reads, chain_reads, contract_calls, sending
from chain.devnet.api.levers import Levers
from chain.devnet.api.question import Question
from chain.devnet.node import Node

WALLET: Final = "wallet"
SOLIDITY: Final = "walletsolidity"
DEV: Final = "dev"

# fmt: off
READS: Final[Mapping[str, Callable[[Question], Any]]] = {
    "getnodeinfo":                   chain_reads.node_info,
    "getnowblock":                   chain_reads.now_block,
    "getblock":                      chain_reads.block_by_either,
    "getblockbynum":                 chain_reads.block_by_number,
    "getblockbyid":                  chain_reads.block_by_id,
    "getblockbylimitnext":           chain_reads.blocks_by_range,
    "getblockbylatestnum":           chain_reads.latest_blocks,
    "gettransactionbyid":            chain_reads.transaction_by_id,
    "gettransactioninfobyid":        chain_reads.transaction_info,
    "gettransactioninfobyblocknum":  chain_reads.transaction_infos,
    "gettransactioncountbyblocknum": chain_reads.transaction_count,
    "getaccount":                    account_reads.account,
    "getaccountresource":            account_reads.account_resource,
    "triggerconstantcontract":       contract_calls.constant_call,
    "estimateenergy":                contract_calls.estimate_energy,
    "getenergyprices":               account_reads.energy_prices,
    "getbandwidthprices":            account_reads.bandwidth_prices,
}
FULL_NODE_ONLY: Final[Mapping[str, Callable[[Question], Any]]] = {
    "getaccountnet":                 account_reads.account_resource,
    "getchainparameters":            account_reads.chain_parameters,
    "validateaddress":               account_reads.validate_address,
    "getcontract":                   contract_calls.contract,
    "getcontractinfo":               contract_calls.contract_info,
    "createtransaction":             contract_calls.build_transfer,
    "triggersmartcontract":          contract_calls.build_call,
    "gettransactionfrompending":     chain_reads.pending_by_id,
    "gettransactionlistfrompending": chain_reads.pending_ids,
    "getpendingsize":                chain_reads.pending_size,
    "getsignweight":                 sending.sign_weight,
    "broadcasttransaction":          sending.broadcast,
    "broadcasthex":                  sending.broadcast_hex,
}
# fmt: on


class Api:
    """Answers requests out of one node."""

    def __init__(self, node: Node, *, levers: Levers) -> None:
        self._node = node
        self._rooms: Mapping[str, Mapping[str, Callable[[Question], Any]]] = {
            WALLET: {**READS, **FULL_NODE_ONLY},
            SOLIDITY: READS,
            DEV: levers.table,
        }

    def answer(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Answer a request with an HTTP status and JSON.

        As java-tron does, the wallet API answers what it cannot read with status 200 and an `Error`; a lever that
        does not work answers 400.
        """
        room, _, method = path.partition("/")
        handler = self._rooms.get(room, {}).get(method)
        if handler is None:
            return 404, {"Error": f"no such method: {path}"}
        try:
            with self._node.lock:
                return 200, handler(Question(node=self._node, body=body, solid=room == SOLIDITY))
        except (refusals.BadRequest, refusals.Refused) as error:
            return 400 if room == DEV else 200, {"Error": f"class {type(error).__name__} : {error}"}
