"""Contracts in the wallet API: what is known of them, and calls that leave no trace."""

import dataclasses
from typing import Any, Final

from eth_hash.auto import keccak
from eth_typing import Address

from chain.devnet import accounts, addresses, blocks, engine, execution, tokens, transactions
from chain.devnet.api.question import Question
from chain.devnet.engine import Outcome
from chain.devnet.refusals import BadRequest

CONSTANT_ENERGY_LIMIT: Final = 100_000_000
LIFETIME_MS: Final = 60_000
NO_CONTRACT: Final = "Contract validate error : Smart contract is not exist."


def contract(question: Question) -> dict[str, Any]:
    """Show a contract with its ABI; only the first block's tokens are known by name."""
    address, state = question.address("value"), question.state()
    spec = tokens.GENESIS.get(address)
    if spec is None or not accounts.is_contract(state, address):
        return {"Error": "class java.lang.NullPointerException : null"}
    artifact = tokens.artifact(spec)
    return {
        "contract_address": addresses.show(address, visible=question.visible),
        "origin_address": addresses.show(_token_owner(question, address), visible=question.visible),
        "name": spec.title,
        "abi": {"entrys": [_entry(item) for item in artifact.abi]},
        "bytecode": artifact.bytecode.hex(),
        "code_hash": keccak(state.get_code(Address(address))).hex(),
        "consume_user_resource_percent": 100,
        "origin_energy_limit": 10_000_000,
    }


def contract_info(question: Question) -> dict[str, Any]:
    """Show a contract with its runtime code."""
    shown = contract(question)
    if "Error" in shown:
        return shown
    return {"smart_contract": shown, "runtimecode": question.state().get_code(Address(question.address("value"))).hex()}


def constant_call(question: Question) -> dict[str, Any]:
    """Run a call and throw its changes away."""
    ran = _run(question)
    if ran is None:
        return _refused(NO_CONTRACT)
    outcome, energy, penalty = ran
    answer: dict[str, Any] = {
        "result": {"result": True},
        "energy_used": energy,
        "constant_result": [outcome.output.hex()],
        "transaction": _unsigned_call(question),
    }
    if penalty:
        answer["energy_penalty"] = penalty
    if outcome.status != engine.SUCCESS:
        answer["result"]["message"] = outcome.message.encode().hex()
    return answer


def estimate_energy(question: Question) -> dict[str, Any]:
    """Tell what a call would take."""
    ran = _run(question)
    if ran is None:
        return _refused(NO_CONTRACT)
    outcome, energy, _ = ran
    if outcome.status != engine.SUCCESS:
        return _refused(f"Estimate energy failed: {outcome.message}", code="CONTRACT_EXE_ERROR")
    return {"result": {"result": True}, "energy_required": energy}


def build_call(question: Question) -> dict[str, Any]:
    """Build a call for the caller to sign."""
    if not accounts.is_contract(question.state(), question.address("contract_address")):
        return _refused(NO_CONTRACT)
    return {"result": {"result": True}, "transaction": _unsigned_call(question)}


def build_transfer(question: Question) -> dict[str, Any]:
    """Build a transfer of TRX for the caller to sign."""
    value = {
        "owner_address": addresses.hex41(question.address("owner_address")),
        "to_address": addresses.hex41(question.address("to_address")),
        "amount": question.number("amount"),
    }
    return _unsigned(question, transactions.TRANSFER, value)


def _run(question: Question) -> tuple[Outcome, int, int] | None:
    """Run the call that a question describes; None means that there is no contract."""
    state, address = question.state(), question.address("contract_address")
    if not accounts.is_contract(state, address):
        return None
    value_sun = question.number("call_value")
    owner = question.address("owner_address")
    if value_sun > accounts.balance_sun(state, owner):
        raise BadRequest("call_value is more than the balance")
    snapshot = state.snapshot()
    try:
        return execution.call(
            state,
            owner=owner,
            contract=address,
            data=_call_data(question),
            value_sun=value_sun,
            energy_limit=CONSTANT_ENERGY_LIMIT,
            parameters=question.node.parameters,
        )
    finally:
        state.revert(snapshot)


def _call_data(question: Question) -> bytes:
    if question.body.get("data"):
        return question.data("data")
    return keccak(question.text("function_selector").encode())[:4] + question.data("parameter")


def _unsigned_call(question: Question) -> dict[str, Any]:
    value = {
        "owner_address": addresses.hex41(question.address("owner_address")),
        "contract_address": addresses.hex41(question.address("contract_address")),
        "call_value": question.number("call_value"),
        "data": _call_data(question).hex(),
    }
    return _unsigned(question, transactions.TRIGGER, value)


def _unsigned(question: Question, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    head = question.node.head
    raw_data = {
        "contract": [{"type": kind, "parameter": {"value": value}}],
        "ref_block_bytes": head.id[6 : blocks.NUMBER_BYTES].hex(),
        "ref_block_hash": head.id[blocks.NUMBER_BYTES : 16].hex(),
        "expiration": head.timestamp_ms + LIFETIME_MS,
        "timestamp": question.node.now_ms(),
        "fee_limit": question.number("fee_limit"),
    }
    unsigned = transactions.decode(transactions.pack(raw_data), ())
    return transactions.to_json(unsigned, visible=question.visible)


def _token_owner(question: Question, address: bytes) -> bytes:
    body = {
        "owner_address": addresses.hex41(address),
        "contract_address": addresses.hex41(address),
        "data": tokens.call_data("owner").hex(),
    }
    ran = _run(dataclasses.replace(question, body=body))
    return ran[0].output[-addresses.LENGTH :] if ran else b""


def _refused(message: str, *, code: str = "CONTRACT_VALIDATE_ERROR") -> dict[str, Any]:
    return {"result": {"code": code, "message": message.encode().hex()}}


def _entry(item: Any) -> dict[str, Any]:
    """Spell one ABI entry as java-tron does: kinds and mutability with a capital letter."""
    entry = {name: item[name] for name in ("name", "inputs", "outputs") if item.get(name)}
    entry["type"] = item["type"].capitalize()
    if "stateMutability" in item:
        entry["stateMutability"] = item["stateMutability"].capitalize()
    return entry
