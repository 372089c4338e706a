"""The seals on people's screens."""

from ledger import seals
from ledger.models import Block
from ledger.posting import Kind
from tests.databases import Database
from tests.ledger import sealing
from tests.ledger.books import funded
from tests.ledger.test_admin import Visitor, shown


def test_a_block_shows_its_hashes_and_where_it_was_made_public(committed: Database) -> None:
    funded(100).post(Kind.FREEZE, 30)
    sealing.seal(limit=100)
    block = Block.objects.get()
    seals.anchored(block.number, network="ethereum", txid="0xabc", now=sealing.NOON)
    visitor = Visitor()

    page = shown(visitor.get(f"block/{block.number}/change/")).get_text(" ", strip=True)

    assert bytes(block.hash).hex() in page
    assert bytes(block.root).hex() in page
    assert "ethereum 0xabc" in page
    links = shown(visitor.get(f"block/{block.number}/change/")).select("a[href*=etherscan]")
    assert [link["href"] for link in links] == ["https://etherscan.io/tx/0xabc"]
    for term in (str(block.number), bytes(block.hash).hex()):
        listed = shown(visitor.get(f"block/?q={term}"))
        assert bytes(block.hash).hex() in listed.get_text(" ", strip=True)
    assert bytes(block.hash).hex() not in shown(visitor.get("block/?q=nonsense")).get_text(" ", strip=True)
    assert visitor.client.get("/admin/ledger/block/99/change/").status_code == 302
