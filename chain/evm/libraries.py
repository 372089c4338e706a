"""web3.py and eth_account, imported in this one place, which puts the recursion limit back.

py_ecc, deep below them, raises it to 100,000 for the whole process; C's stack ends long before, so that deeply nested
input, of a client's or a node's, would kill the process where it should be a RecursionError.
"""

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - between the two looks at the limit
from eth_account.typed_transactions.typed_transaction import TypedTransaction  # noqa: E402 - the same
from web3 import HTTPProvider  # noqa: E402 - the same
from web3.types import RPCEndpoint  # noqa: E402 - the same

sys.setrecursionlimit(_limit)

__all__ = ["Account", "HTTPProvider", "RPCEndpoint", "TypedTransaction"]
