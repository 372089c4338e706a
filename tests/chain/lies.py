"""What a bad node may tell about a payment, for each chain: installed on the proxy before it."""

from collections.abc import Callable
from typing import Any, Protocol

from chain import addresses, networks
from chain.models import EndpointFault, Intent
from chain.token_abi import TRANSFER_TOPIC, word
from tests.chain import proxy


class OnNetwork(Protocol):
    """All that most lies need of a laboratory."""

    @property
    def network(self) -> str: ...


Lie = Callable[[OnNetwork, proxy.Proxy], None]
WRONG = "22" * 32
MANY = 40  # blocks: more than any lag that is let pass


def forged_success(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """A success with the exact Transfer log of the only payment, whatever the chain says."""
    topics, data = _exact_log(Intent.objects.get())
    if lab.network == "tron":

        def told(info: Any) -> Any:
            log = {"address": _account(networks.token("tron", "USDT").contract), "topics": topics, "data": data}
            return info and info | {"receipt": info["receipt"] | {"result": "SUCCESS"}, "log": [log]}

        def block(shown: Any) -> Any:
            for entry in shown.get("transactions", []):
                entry["ret"] = [{"contractRet": "SUCCESS"}]
            return shown

        lying.alter("walletsolidity/gettransactioninfobyid", told)
        lying.alter("walletsolidity/getblockbynum", block)
        return

    def receipt(shown: Any) -> Any:
        if not shown:
            return shown
        log = {"address": networks.token("ethereum", "USDT").contract, "topics": ["0x" + topic for topic in topics]}
        return shown | {"status": "0x1", "logs": [log | {"data": "0x" + data}]}

    lying.alter("eth_getTransactionReceipt", receipt)


def hidden(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """No receipt."""
    if lab.network == "tron":
        lying.lie("walletsolidity/gettransactioninfobyid", {})
        lying.lie("walletsolidity/gettransactioninfobyblocknum", [])
    else:
        lying.lie("eth_getTransactionReceipt", None)


def other_blocks(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """Blocks with other hashes, on the same chain."""
    if lab.network == "tron":

        def block(shown: Any) -> Any:
            header = shown["block_header"]["raw_data"]
            return shown | {"blockID": shown["blockID"][:16] + WRONG[16:]} if header.get("number") else shown

        lying.alter("walletsolidity/getblockbynum", block)
        lying.alter("walletsolidity/getnowblock", block)
        return
    lying.alter("eth_getBlockByNumber", lambda shown: shown and shown | {"hash": "0x" + WRONG})


def moved_head(lab: OnNetwork, lying: proxy.Proxy, *, by: int) -> None:
    """A newest block with another height than it has."""

    def tron(shown: Any) -> Any:
        header = shown["block_header"]["raw_data"]
        number = max(header["number"] + by, 0)
        raw = {"raw_data": header | {"number": number}}
        return shown | {"blockID": number.to_bytes(8).hex() + WRONG[16:], "block_header": raw}

    def evm(call: proxy.Call) -> Any:
        shown = call.forward()
        if call.arguments[0] != "latest":
            return shown
        return shown | {"number": hex(max(int(shown["number"], 16) + by, 0))}

    if lab.network == "tron":
        lying.alter("walletsolidity/getnowblock", tron)
        lying.alter("wallet/getnowblock", tron)
    else:
        lying.spoil("eth_getBlockByNumber", evm)


def stale(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """A head of long ago."""
    moved_head(lab, lying, by=-MANY)


def far_ahead(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """A head that nobody has seen yet."""
    moved_head(lab, lying, by=10**6)


def richer(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """Balances of 9,999.999999."""
    word_of = (9_999_999_999).to_bytes(32).hex()
    if lab.network == "tron":
        lying.alter("walletsolidity/triggerconstantcontract", lambda told: told | {"constant_result": [word_of]})
    else:
        lying.lie("eth_call", "0x" + word_of)


def unavailable(_lab: OnNetwork, lying: proxy.Proxy) -> None:
    """503 to everything."""
    lying.spoil("*", proxy.unavailable)


def nothing(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """`null` to everything."""
    lying.lie("*", None)


def lost_replies(_lab: OnNetwork, lying: proxy.Proxy) -> None:
    """Every reply is lost."""
    lying.spoil("*", proxy.lost)


def other_chain(lab: OnNetwork, lying: proxy.Proxy) -> None:
    """A node of another chain."""
    if lab.network == "tron":

        def block(shown: Any) -> Any:
            first = not shown["block_header"]["raw_data"].get("number")
            return shown | {"blockID": "00" * 8 + WRONG[16:]} if first else shown

        lying.alter("walletsolidity/getblockbynum", block)
        return
    lying.lie("eth_chainId", hex(5))


# fmt: off
LIES: dict[Lie, set[EndpointFault]] = {
    forged_success: {EndpointFault.DISAGREES},
    hidden:         {EndpointFault.DISAGREES},
    other_blocks:   {EndpointFault.DISAGREES},
    stale:          {EndpointFault.LAGS},
    unavailable:    {EndpointFault.SILENT},
    nothing:        {EndpointFault.SILENT, EndpointFault.ERRS},
    lost_replies:   {EndpointFault.SILENT},
    other_chain:    {EndpointFault.OTHER_CHAIN},
}
# fmt: on


def _exact_log(intent: Intent) -> tuple[list[str], str]:
    transfer = intent.transfer()
    accounts = [bytes.fromhex(_account(text)) for text in (transfer.wallet, transfer.to_address)]
    topics = [TRANSFER_TOPIC, *map(word, accounts)]
    return [topic.hex() for topic in topics], word(transfer.amount_units).hex()


def _account(text: str) -> str:
    network = "tron" if text.startswith("T") else "ethereum"
    return addresses.account_bytes(network, text).hex()
