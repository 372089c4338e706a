"""Thousands of token transfers in a handful of transactions: code in the token's place that does nothing but tell."""

from collections.abc import Iterator
from contextlib import contextmanager

from chain import addresses
from chain.token_abi import TRANSFER_TOPIC, word
from tests.chain import labs

UNIT = 1 << 20  # the first transfer of a transaction moves so much, the second twice that, and so on
GAS_EACH = 2_200
PUSH1, PUSH32 = "60", "7f"
# transfer(to, n): for i in 0 … n-1 emit Transfer(caller, to, (i + 1) << 20)
LOOP = (
    PUSH1 + "00"  # i
    "5b"  # 02: again
    "80" + PUSH1 + "20" + "35" + "11" + "15" + PUSH1 + "44" + "57"  # n > i, else to the end
    "80" + PUSH1 + "01" + "01" + PUSH1 + "14" + "1b" + PUSH1 + "00" + "52"  # (i + 1) << 20 into memory
    + PUSH1 + "00" + "35" + "33" + PUSH32 + TRANSFER_TOPIC.hex()  # to, caller, the event
    + PUSH1 + "20" + PUSH1 + "00" + "a3"
    + PUSH1 + "01" + "01" + PUSH1 + "02" + "56"
    + "5b" + "00"  # the end
)  # fmt: skip


@contextmanager
def telling(lab: labs.EvmLab) -> Iterator[None]:
    """The token tells of transfers that nobody makes."""
    code = lab.rpc("eth_getCode", lab.token, "latest")
    end = LOOP.rindex("5b") // 2
    lab.rpc("anvil_setCode", lab.token, "0x" + LOOP.replace("6044", f"60{end:02x}", 1))
    try:
        yield
    finally:
        lab.rpc("anvil_setCode", lab.token, code)


def tell(lab: labs.EvmLab, to: str, number: int) -> str:
    """So many transfers to one address, in one transaction that waits for a block."""
    data = "0x" + (word(addresses.account_bytes("ethereum", to)) + word(number)).hex()
    gas = hex(100_000 + number * GAS_EACH)
    call = {"from": labs.OWNER, "to": lab.token, "data": data, "gas": gas, "gasPrice": hex(100 * 10**9)}
    return str(lab.rpc("eth_sendTransaction", call))


def told_units(number: int) -> int:
    """What so many transfers of one transaction come to."""
    return UNIT * number * (number + 1) // 2
