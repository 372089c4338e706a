"""Applying one transaction to the state: what it costs and what it does.

Source: java-tron BandwidthProcessor.java, ReceiptCapsule.java, VMActuator.java, TransferActuator.java.
"""

from dataclasses import dataclass, field

from chain.devnet import accounts, addresses, engine, refusals, transactions
from chain.devnet.engine import Log, Outcome, State
from chain.devnet.parameters import Parameters
from chain.devnet.transactions import Transaction

RESULT_BYTES = 64  # java-tron reserves them for the result that will be stored beside a transaction
PERCENT = 100
SUN_PER_TRX = 1_000_000


@dataclass(slots=True)
class Receipt:
    """What a transaction cost and left behind.

    Units: sun, bytes of bandwidth, energy.
    """

    result: str = engine.SUCCESS
    fee_sun: int = 0
    bandwidth: int = 0
    bandwidth_fee_sun: int = 0
    staked_energy: int = 0
    energy_fee_sun: int = 0
    energy: int = 0
    energy_penalty: int = 0
    contract: bytes = b""
    output: bytes = b""
    message: str = ""
    logs: list[Log] = field(default_factory=list)


def apply(state: State, transaction: Transaction, *, parameters: Parameters, now_ms: int) -> Receipt:
    """Charge for a transaction and do what it says, or leave the state as it was.

    Raises: Refused.
    """
    snapshot = state.snapshot()
    try:
        receipt = Receipt()
        _charge_bandwidth(state, transaction, receipt, parameters=parameters, now_ms=now_ms)
        if transaction.memo:
            _burn(state, transaction.owner, parameters.memo_fee_sun, receipt)
        if transaction.kind == transactions.TRANSFER:
            _transfer(state, transaction, receipt, parameters=parameters)
        elif transaction.kind == transactions.FREEZE:
            _freeze(state, transaction)
        else:
            _trigger(state, transaction, receipt, parameters=parameters, now_ms=now_ms)
    except refusals.Refused:
        state.revert(snapshot)
        raise
    state.commit(snapshot)
    return receipt


def call(
    state: State,
    *,
    owner: bytes,
    contract: bytes,
    data: bytes,
    value_sun: int,
    energy_limit: int,
    parameters: Parameters,
) -> tuple[Outcome, int, int]:
    """Call a contract and price it; the answer ends with the energy charged and the penalty within it.

    Units: energy.
    """
    factor = PERCENT + parameters.energy_penalty_percent
    outcome = engine.call(
        state,
        owner=owner,
        contract=contract,
        data=data,
        value_sun=value_sun,
        energy_limit=energy_limit * PERCENT // factor,
    )
    if outcome.status not in (engine.SUCCESS, engine.REVERT):
        return outcome, energy_limit, 0  # every other failure burns all that was allowed
    energy = outcome.energy * factor // PERCENT
    return outcome, energy, energy - outcome.energy


def _charge_bandwidth(
    state: State, transaction: Transaction, receipt: Receipt, *, parameters: Parameters, now_ms: int
) -> None:
    owner = transaction.owner
    if not accounts.exists(state, owner):
        raise refusals.invalid(f"account [{addresses.base58check(owner)}] does not exist")
    if transaction.kind == transactions.TRANSFER and not accounts.exists(state, transaction.fields["to_address"]):
        receipt.bandwidth_fee_sun = parameters.activation_bandwidth_fee_sun
        _burn(state, owner, receipt.bandwidth_fee_sun, receipt)
        return
    size = transaction.size + RESULT_BYTES
    staked = accounts.staked_sun(state, owner, resource=accounts.BANDWIDTH) // SUN_PER_TRX
    limits = {
        accounts.BANDWIDTH: staked * parameters.bandwidth_per_staked_trx,
        accounts.FREE_BANDWIDTH: parameters.free_bandwidth,
    }
    for resource, limit in limits.items():
        if accounts.used_today(state, owner, resource=resource, now_ms=now_ms) + size <= limit:
            accounts.use(state, owner, resource=resource, amount=size, now_ms=now_ms)
            receipt.bandwidth = size
            return
    receipt.bandwidth_fee_sun = size * parameters.bandwidth_fee_sun
    _burn(state, owner, receipt.bandwidth_fee_sun, receipt)


def _burn(state: State, owner: bytes, amount_sun: int, receipt: Receipt) -> None:
    if accounts.balance_sun(state, owner) < amount_sun:
        raise refusals.Refused(refusals.BANDWIDTH, "Account resource insufficient error.")
    accounts.change_balance(state, owner, by_sun=-amount_sun)
    receipt.fee_sun += amount_sun


def _transfer(state: State, transaction: Transaction, receipt: Receipt, *, parameters: Parameters) -> None:
    owner, to, amount_sun = transaction.owner, transaction.fields["to_address"], transaction.fields["amount"]
    if to == owner:
        raise refusals.invalid("Cannot transfer TRX to yourself.")
    if amount_sun <= 0:
        raise refusals.invalid("Amount must be greater than 0.")
    if accounts.is_contract(state, to):
        raise refusals.invalid("Cannot transfer TRX to a smartContract.")
    activation_sun = 0 if accounts.exists(state, to) else parameters.activation_fee_sun
    if accounts.balance_sun(state, owner) < amount_sun + activation_sun:
        raise refusals.invalid("Validate TransferContract error, balance is not sufficient.")
    if activation_sun:
        _burn(state, owner, activation_sun, receipt)
        accounts.activate(state, to)
    accounts.change_balance(state, owner, by_sun=-amount_sun)
    accounts.change_balance(state, to, by_sun=amount_sun)


def _freeze(state: State, transaction: Transaction) -> None:
    amount_sun = transaction.fields["frozen_balance"]
    if amount_sun < SUN_PER_TRX:
        raise refusals.invalid("frozenBalance must be greater than or equal to 1 TRX")
    if accounts.balance_sun(state, transaction.owner) < amount_sun:
        raise refusals.invalid("frozenBalance must be less than or equal to accountBalance")
    named = transactions.RESOURCES[transaction.fields["resource"]]
    resource = accounts.ENERGY if named == "ENERGY" else accounts.BANDWIDTH
    accounts.stake(state, transaction.owner, resource=resource, amount_sun=amount_sun)


def _trigger(state: State, transaction: Transaction, receipt: Receipt, *, parameters: Parameters, now_ms: int) -> None:
    owner, contract = transaction.owner, transaction.fields["contract_address"]
    value_sun = transaction.fields["call_value"]
    if not accounts.is_contract(state, contract):
        raise refusals.invalid("No contract or not a smart contract")
    if not 0 <= transaction.fee_limit_sun <= parameters.max_fee_limit_sun:
        raise refusals.invalid(f"feeLimit must be >= 0 and <= {parameters.max_fee_limit_sun}")
    spare_sun = accounts.balance_sun(state, owner) - value_sun
    if value_sun < 0 or spare_sun < 0:
        raise refusals.invalid("Validate InternalTransfer error, balance is not sufficient.")

    staked = staked_energy_left(state, owner, parameters=parameters, now_ms=now_ms)
    affordable = staked + spare_sun // parameters.energy_fee_sun
    outcome, energy, penalty = call(
        state,
        owner=owner,
        contract=contract,
        data=transaction.fields["data"],
        value_sun=value_sun,
        energy_limit=min(affordable, transaction.fee_limit_sun // parameters.energy_fee_sun),
        parameters=parameters,
    )
    receipt.staked_energy = min(energy, staked)
    if receipt.staked_energy:
        accounts.use(state, owner, resource=accounts.ENERGY, amount=receipt.staked_energy, now_ms=now_ms)
    receipt.energy_fee_sun = (energy - receipt.staked_energy) * parameters.energy_fee_sun
    _burn(state, owner, receipt.energy_fee_sun, receipt)
    receipt.result, receipt.message = outcome.status, outcome.message
    receipt.energy, receipt.energy_penalty = energy, penalty
    receipt.contract, receipt.output, receipt.logs = contract, outcome.output, list(outcome.logs)


def staked_energy_left(state: State, owner: bytes, *, parameters: Parameters, now_ms: int) -> int:
    """Tell how much energy the account's stake still gives today.

    Units: energy.
    """
    staked_trx = accounts.staked_sun(state, owner, resource=accounts.ENERGY) // SUN_PER_TRX
    used = accounts.used_today(state, owner, resource=accounts.ENERGY, now_ms=now_ms)
    return max(0, staked_trx * parameters.energy_per_staked_trx - used)
