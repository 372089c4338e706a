"""Why the node says no, with the codes java-tron uses.

Source: java-tron Wallet.broadcastTransaction, api.proto Return.response_code.
"""

from typing import Final

SIGNATURE: Final = "SIGERROR"
TAPOS: Final = "TAPOS_ERROR"
EXPIRED: Final = "TRANSACTION_EXPIRATION_ERROR"
DUPLICATE: Final = "DUP_TRANSACTION_ERROR"
BANDWIDTH: Final = "BANDWITH_ERROR"  # java-tron spells it so
INVALID: Final = "CONTRACT_VALIDATE_ERROR"
TOO_BIG: Final = "TOO_BIG_TRANSACTION_ERROR"
OTHER: Final = "OTHER_ERROR"


class Refused(Exception):
    """The node does not take this transaction (or lever), and nothing changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BadRequest(ValueError):
    """A request that cannot be read."""


def invalid(message: str) -> Refused:
    """Word a refusal by a contract's own validation."""
    return Refused(INVALID, f"Contract validate error : {message}")
