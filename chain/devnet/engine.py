"""Running contract code: py-evm's interpreter with TRON's energy schedule."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from eth import constants, exceptions
from eth.db.atomic import AtomicDB
from eth.vm import opcode_values
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.frontier.transaction_context import FrontierTransactionContext
from eth.vm.forks.istanbul.opcodes import ISTANBUL_OPCODES
from eth.vm.forks.petersburg.computation import PetersburgComputation
from eth.vm.forks.petersburg.opcodes import PETERSBURG_OPCODES
from eth.vm.forks.petersburg.state import PetersburgState
from eth.vm.forks.shanghai.opcodes import SHANGHAI_OPCODES
from eth.vm.message import Message
from eth_typing import Address, BlockNumber, Hash32

if TYPE_CHECKING:
    from eth.abc import ComputationAPI, DatabaseAPI, OpcodeAPI

SUCCESS: Final = "SUCCESS"
REVERT: Final = "REVERT"
OUT_OF_ENERGY: Final = "OUT_OF_ENERGY"
EMPTY_ROOT: Final = bytes(constants.BLANK_ROOT_HASH)
CHAIN_ID: Final = 0x2B6653DC  # what CHAINID answers on the TRON main net
BLOCK_ENERGY: Final = 10**12  # what GASLIMIT would answer; no rule reads it

# TRON froze the costs of its machine before Ethereum's repricings. Storage writes and logs cost the same in both.
# Source: java-tron EnergyCost.java.
# fmt: off
ENERGY: Final = {
    opcode_values.SLOAD:        50,
    opcode_values.MLOAD:         1,
    opcode_values.MSTORE:        1,
    opcode_values.MSTORE8:       1,
    opcode_values.BALANCE:      20,
    opcode_values.EXTCODESIZE:  20,
    opcode_values.EXTCODECOPY:  20,
    opcode_values.CALL:         40,
    opcode_values.CALLCODE:     40,
    opcode_values.DELEGATECALL: 40,
    opcode_values.STATICCALL:   40,
}
# fmt: on
LATER_OPCODES: Final = (opcode_values.CHAINID, opcode_values.SELFBALANCE)


def _opcodes() -> "dict[int, OpcodeAPI]":
    opcodes = copy.deepcopy(PETERSBURG_OPCODES)
    for value in LATER_OPCODES:
        opcodes[value] = copy.deepcopy(ISTANBUL_OPCODES[value])
    opcodes[opcode_values.PUSH0] = copy.deepcopy(SHANGHAI_OPCODES[opcode_values.PUSH0])
    for value, energy in ENERGY.items():
        opcodes[value].gas_cost = energy  # type: ignore[attr-defined]  # both kinds of opcode have it
    return opcodes


class TronComputation(PetersburgComputation):
    """One call of contract code, priced in energy."""

    opcodes = _opcodes()


class State(PetersburgState):
    """All accounts and contracts as they were at one state root, with changes that are not written yet."""

    computation_class = TronComputation


class Nodes(Protocol):
    """Where the state's trie nodes and contract codes are kept."""

    def __getitem__(self, key: bytes) -> bytes: ...
    def __setitem__(self, key: bytes, value: bytes) -> None: ...
    def __delitem__(self, key: bytes) -> None: ...
    def __contains__(self, key: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Log:
    """One event a contract wrote."""

    address: bytes
    topics: Sequence[bytes]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call of a contract ended.

    Units: energy.
    """

    status: str
    energy: int
    output: bytes
    logs: Sequence[Log]
    message: str


def open_state(nodes: "DatabaseAPI", *, root: bytes, number: int, timestamp_ms: int) -> State:
    """Open the state at `root` as the block `number` would see it."""
    context = ExecutionContext(
        coinbase=Address(constants.ZERO_ADDRESS),
        timestamp=timestamp_ms // 1000,
        block_number=BlockNumber(number),
        difficulty=0,
        mix_hash=Hash32(constants.ZERO_HASH32),
        gas_limit=BLOCK_ENERGY,
        prev_hashes=(),
        chain_id=CHAIN_ID,
    )
    return State(AtomicDB(nodes), context, Hash32(root))


def call(state: State, *, owner: bytes, contract: bytes, data: bytes, value_sun: int, energy_limit: int) -> Outcome:
    """Call a contract; a call that fails leaves the state as it was.

    Units: sun, energy.
    """
    message = Message(
        gas=energy_limit,
        to=Address(contract),
        sender=Address(owner),
        value=value_sun,
        data=data,
        code=state.get_code(Address(contract)),
    )
    computation = TronComputation.apply_message(state, message, _context(owner))
    return _outcome(computation, energy_limit=energy_limit)


def create(state: State, *, owner: bytes, address: bytes, code: bytes) -> Outcome:
    """Run creation code and leave the contract it returns at `address`, whichever address that is."""
    message = Message(
        gas=BLOCK_ENERGY,
        to=constants.CREATE_CONTRACT_ADDRESS,
        sender=Address(owner),
        value=0,
        data=b"",
        code=code,
        create_address=Address(address),
    )
    computation = TronComputation.apply_create_message(state, message, _context(owner))
    return _outcome(computation, energy_limit=BLOCK_ENERGY)


def _context(owner: bytes) -> FrontierTransactionContext:
    return FrontierTransactionContext(gas_price=0, origin=Address(owner))


def _outcome(computation: "ComputationAPI", *, energy_limit: int) -> Outcome:
    # TRON pays nothing back for cleared storage, so the refund counter is left alone.
    used = energy_limit - computation.get_gas_remaining()
    if not computation.is_error:
        logs = [
            Log(address=address, topics=[topic.to_bytes(32, "big") for topic in topics], data=data)
            for address, topics, data in computation.get_log_entries()
        ]
        return Outcome(status=SUCCESS, energy=used, output=computation.output, logs=logs, message="")
    error = computation.error
    if isinstance(error, exceptions.Revert):
        return Outcome(status=REVERT, energy=used, output=computation.output, logs=(), message="REVERT opcode executed")
    if isinstance(error, exceptions.OutOfGas):
        message = f"Not enough energy for the next operation executing: curInvokeEnergyLimit[{energy_limit}]"
        return Outcome(status=OUT_OF_ENERGY, energy=energy_limit, output=b"", logs=(), message=message)
    if isinstance(error, exceptions.InvalidJumpDestination):
        status = "BAD_JUMP_DESTINATION"
    elif isinstance(error, exceptions.InvalidInstruction):
        status = "ILLEGAL_OPERATION"
    else:
        status = "UNKNOWN"
    return Outcome(status=status, energy=energy_limit, output=b"", logs=(), message=str(error))
