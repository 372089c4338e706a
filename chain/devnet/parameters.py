"""The chain's prices and limits, which a test may change while the node runs."""

from dataclasses import dataclass


@dataclass(slots=True)
class Parameters:
    """Prices and limits of the TRON main net, except for the time between blocks.

    A change through `dev/params` is forgotten at a restart.

    Units: sun, energy, milliseconds, bytes.
    """

    block_ms: int = 3_000
    solid_lag: int = 19  # 19 of 27 producers must have built on a block
    energy_fee_sun: int = 100
    bandwidth_fee_sun: int = 1_000
    free_bandwidth: int = 600
    max_fee_limit_sun: int = 15_000_000_000
    memo_fee_sun: int = 1_000_000
    activation_bandwidth_fee_sun: int = 100_000
    activation_fee_sun: int = 1_000_000
    energy_per_staked_trx: int = 10
    bandwidth_per_staked_trx: int = 2
    energy_penalty_percent: int = 0  # the dynamic energy model's factor, the same for every contract
    tx_cache: bool = True  # remember every txid that was ever broadcast here, as java-tron does

    def change(self, name: str, value: int) -> None:
        """Set one parameter.

        Raises: ValueError when there is none of this name or the value has another type.
        """
        if name not in self.__slots__:
            raise ValueError(f"no such parameter: {name}")
        if type(getattr(self, name)) is not type(value):
            raise ValueError(f"{name} is a {type(getattr(self, name)).__name__}")
        setattr(self, name, value)

    def listed(self) -> list[dict[str, int | str]]:
        """List what `getchainparameters` tells of them, under java-tron's names."""
        # fmt: off
        named = {
            "getTransactionFee":                      self.bandwidth_fee_sun,
            "getEnergyFee":                           self.energy_fee_sun,
            "getCreateAccountFee":                    self.activation_bandwidth_fee_sun,
            "getCreateNewAccountFeeInSystemContract": self.activation_fee_sun,
            "getMaxFeeLimit":                         self.max_fee_limit_sun,
            "getMemoFee":                             self.memo_fee_sun,
            "getFreeNetLimit":                        self.free_bandwidth,
        }
        # fmt: on
        return [{"key": key, "value": value} for key, value in named.items()]
