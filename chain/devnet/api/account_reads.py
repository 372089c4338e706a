"""What the wallet API tells about accounts, their resources and the chain's prices."""

from typing import Any, Final

from chain.devnet import accounts, addresses, execution
from chain.devnet.api.question import Question
from chain.devnet.refusals import BadRequest

# fmt: off
TOTALS: Final = {  # with these, one staked TRX gives what `parameters` says
    "TotalNetLimit":      43_200_000_000,
    "TotalNetWeight":     21_600_000_000,
    "TotalEnergyLimit":  180_000_000_000,
    "TotalEnergyWeight":  18_000_000_000,
}
# fmt: on
ALL_OPERATIONS: Final = "7fff1fc0033e0100000000000000000000000000000000000000000000000000"


def account(question: Question) -> dict[str, Any]:
    """Show an account; one that was never activated is an empty answer."""
    address, state = question.address("address"), question.state()
    if not accounts.exists(state, address):
        return {}
    shown = {
        "address": addresses.show(address, visible=question.visible),
        "create_time": 0,
        "owner_permission": permission(address, name="owner", visible=question.visible),
        "active_permission": [
            permission(address, name="active", visible=question.visible)
            | {"type": "Active", "id": 2, "operations": ALL_OPERATIONS}
        ],
        "account_resource": {},
    }
    balance_sun = accounts.balance_sun(state, address)
    if balance_sun:
        shown["balance"] = balance_sun
    if accounts.is_contract(state, address):
        shown["type"] = "Contract"
    return shown


def permission(address: bytes, *, name: str, visible: bool) -> dict[str, Any]:
    """Show a permission; every account has just its own key."""
    key = {"address": addresses.show(address, visible=visible), "weight": 1}
    return {"permission_name": name, "threshold": 1, "keys": [key]}


def account_resource(question: Question) -> dict[str, Any]:
    """Show what an account has and used of bandwidth and energy."""
    address, state = question.address("address"), question.state()
    if not accounts.exists(state, address):
        return {}
    parameters, now_ms = question.node.parameters, question.node.head.timestamp_ms

    def used(resource: str) -> int:
        return accounts.used_today(state, address, resource=resource, now_ms=now_ms)

    def staked_trx(resource: str) -> int:
        return accounts.staked_sun(state, address, resource=resource) // execution.SUN_PER_TRX

    # fmt: off
    own = {
        "freeNetUsed":  used(accounts.FREE_BANDWIDTH),
        "freeNetLimit": parameters.free_bandwidth,
        "NetUsed":      used(accounts.BANDWIDTH),
        "NetLimit":     staked_trx(accounts.BANDWIDTH) * parameters.bandwidth_per_staked_trx,
        "EnergyUsed":   used(accounts.ENERGY),
        "EnergyLimit":  staked_trx(accounts.ENERGY) * parameters.energy_per_staked_trx,
    }
    # fmt: on
    return {name: value for name, value in own.items() if value} | TOTALS


def chain_parameters(question: Question) -> dict[str, Any]:
    """List prices and limits."""
    return {"chainParameter": question.node.parameters.listed()}


def energy_prices(question: Question) -> dict[str, Any]:
    """Tell the price of energy since when."""
    return {"prices": f"0:{question.node.parameters.energy_fee_sun}"}


def bandwidth_prices(question: Question) -> dict[str, Any]:
    """Tell the price of bandwidth since when."""
    return {"prices": f"0:{question.node.parameters.bandwidth_fee_sun}"}


def validate_address(question: Question) -> dict[str, Any]:
    """Tell whether a text is an address."""
    try:
        question.address("address")
    except BadRequest as error:
        return {"result": False, "message": str(error)}
    return {"result": True, "message": "Base58check format" if question.text("address")[0] == "T" else "Hex string"}
