"""The dev owner's own transactions: TRX and tokens for tests, and the token's owner calls.

They are ordinary signed transactions, so that whatever they do is in a block and goes with it in a reorganisation.
"""

from collections.abc import Mapping
from typing import Final

import coincurve

from chain.devnet import addresses, signatures, tokens, transactions
from chain.devnet.node import Node

LIFETIME_MS: Final = 3_600_000
FEE_LIMIT_SUN: Final = 1_000_000_000


class Owner:
    """Holds the dev owner's key and sends in its name."""

    def __init__(self, node: Node, *, key: bytes) -> None:
        self._node = node
        self._key = coincurve.PrivateKey(key)
        self._last_ms = 0
        self.address = signatures.address_of(self._key)

    def send_trx(self, *, to: bytes, amount_sun: int) -> bytes:
        """Give TRX to an account, which is created if need be; answer the txid.

        Units: sun.
        Raises: Refused.
        """
        return self._send(transactions.TRANSFER, {"to_address": addresses.hex41(to), "amount": amount_sun})

    def mint(self, *, to: bytes, units: int, token: bytes = tokens.ON_TRON) -> bytes:
        """Issue tokens and pass them on; answer the txid of the passing.

        Units: token base units.
        Raises: Refused.
        """
        self.call("issue", units, token=token)
        return self.call("transfer", to, units, token=token)

    def call(self, function: str, *arguments: bytes | int, token: bytes = tokens.ON_TRON) -> bytes:
        """Call a token as its owner; answer the txid.

        Raises: Refused.
        """
        fields = {
            "contract_address": addresses.hex41(token),
            "data": tokens.call_data(function, *arguments).hex(),
        }
        return self._send(transactions.TRIGGER, fields, fee_limit_sun=FEE_LIMIT_SUN)

    def _send(self, kind: str, fields: Mapping[str, str | int], *, fee_limit_sun: int = 0) -> bytes:
        with self._node.lock:
            # Equal transactions of one millisecond would share their txid.
            self._last_ms = max(self._node.now_ms(), self._last_ms + 1)
            reference = self._node.solid.id
            raw_data = {
                "contract": [
                    {
                        "type": kind,
                        "parameter": {"value": {"owner_address": addresses.hex41(self.address), **fields}},
                    }
                ],
                "ref_block_bytes": reference[6:8].hex(),
                "ref_block_hash": reference[8:16].hex(),
                "expiration": self._node.head.timestamp_ms + LIFETIME_MS,
                "timestamp": self._last_ms,
                "fee_limit": fee_limit_sun,
            }
            raw = transactions.pack(raw_data)
            unsigned = transactions.decode(raw, ())
            signature = signatures.sign(unsigned.txid, key=self._key)
            signed = transactions.decode(raw, [signature])
            self._node.broadcast(signed)
            return signed.txid
