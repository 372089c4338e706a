"""The faults a test can order at the dev node, and how tronpy sees them."""

import time
from collections.abc import Iterator

import pytest
import requests

from tests.chain.devnet_node import USDT, DevNode, Person, broadcast

pytestmark = pytest.mark.chains


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevNode]:
    started = DevNode(tmp_path_factory.mktemp("tron")).start()
    yield started
    started.stop()


@pytest.fixture
def alice(node: DevNode) -> Person:
    node.dev("unfault")
    return Person(node).rich()


@pytest.fixture
def bob(node: DevNode) -> Person:
    return Person(node)


def test_a_reset_before_leaves_the_transaction_unsent(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 5)
    node.dev("fault", match="wallet/broadcasttransaction", action="reset_before")
    with pytest.raises(requests.ConnectionError):
        payment.broadcast()
    node.mine()
    assert alice.info(payment) == {}
    payment.broadcast()
    node.mine()
    assert bob.units() == 5


def test_a_reset_after_hides_that_the_transaction_was_taken(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 5)
    node.dev("fault", match="wallet/broadcasttransaction", action="reset_after")
    with pytest.raises(requests.ConnectionError):
        payment.broadcast()
    node.mine()
    assert bob.units() == 5


@pytest.mark.parametrize(("action", "arrives"), [("status", 0), ("status_after", 5)])
def test_an_http_error_says_nothing_about_the_transaction(
    action: str, arrives: int, node: DevNode, alice: Person, bob: Person
) -> None:
    payment = alice.pay(bob.address, 5)
    node.dev("fault", match="wallet/broadcasttransaction", action=action, code=502)
    with pytest.raises(requests.HTTPError, match="502"):
        payment.broadcast()
    node.mine()
    assert bob.units() == arrives


def test_an_empty_reply_hides_what_happened(node: DevNode, alice: Person, bob: Person) -> None:
    node.dev("fault", match="wallet/broadcasttransaction", action="empty")
    assert broadcast(alice.pay(bob.address, 5), node) == {}
    node.mine()
    assert bob.units() == 5


def test_a_delay_holds_back_the_reply(node: DevNode, alice: Person) -> None:
    node.dev("fault", match="wallet/getnowblock", action="delay", seconds=0.3)
    began = time.monotonic()
    alice.client.get_latest_block()
    assert time.monotonic() - began >= 0.3


def test_tronpy_takes_the_txid_from_a_lying_node(node: DevNode, alice: Person, bob: Person) -> None:
    lie = {"transaction": {"transaction": {"txID": "ab" * 32}}}
    node.dev("fault", match="wallet/getsignweight", action="lie", reply=lie)
    built = alice.client.get_contract(USDT).functions.transfer.with_owner(alice.address)(bob.address, 1).build()
    assert built.txid == "ab" * 32


def test_a_node_can_deny_a_receipt_it_has(node: DevNode, alice: Person, bob: Person) -> None:
    payment = alice.pay(bob.address, 5)
    payment.broadcast()
    node.mine()
    node.dev("fault", match="gettransactioninfobyid", action="replace", reply={})
    assert alice.info(payment) == {}
    assert alice.info(payment)["receipt"]["result"] == "SUCCESS"


def test_a_fault_meets_only_the_requests_it_names(node: DevNode, alice: Person, bob: Person) -> None:
    first, second = alice.pay(bob.address, 5), alice.pay(bob.address, 6)
    node.dev("fault", match="wallet/broadcasttransaction", action="status", contains=second.txid, times=2)
    assert broadcast(first, node)["result"]
    assert broadcast(second, node) == {"Error": "ordered fault"}
    assert node.dev("unfault") == {"cleared": 1}
    assert broadcast(second, node)["result"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("dev/fault", {"match": "x", "action": "explode"}),
        ("dev/params", {"energy_fee_sun": "dear"}),
        ("dev/params", {"nothing": 1}),
        ("dev/mining", {"on": "yes"}),
        ("dev/credit", {"address": "T-nobody", "sun": 1}),
    ],
)
def test_a_lever_that_does_not_work_says_so(path: str, body: dict[str, str], node: DevNode) -> None:
    assert requests.post(f"{node.url}/{path}", json=body, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("wallet/broadcasthex", {"transaction": "00ff"}),
        ("wallet/broadcasttransaction", {}),
        ("wallet/getaccount", {"address": "41"}),
        ("wallet/gettransactionbyid", {"value": "zz"}),
    ],
)
def test_what_cannot_be_read_is_answered_with_an_error(path: str, body: dict[str, str], node: DevNode) -> None:
    assert "Error" in node.post(path, **body)
