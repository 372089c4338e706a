"""The verifier by itself: trees, paths, links, files; no ledger in sight."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import export, verify
from tests.ledger import chains

# Source: the reference vectors of certificate-transparency's Merkle tree tests, for the tree of RFC 6962.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
WIDTHS = range(1, 301)


def leaves(width: int) -> list[bytes]:
    return [verify.leaf(str(number).encode()) for number in range(width)]


@pytest.mark.parametrize("width", range(1, 9))
def test_the_tree_is_the_one_of_rfc_6962(width: int) -> None:
    hashes = [verify.leaf(bytes.fromhex(text)) for text in CT_LEAVES[:width]]

    assert verify.root(hashes).hex() == CT_ROOTS[width - 1]


def by_the_rfc(hashes: list[bytes]) -> bytes:
    """RFC 6962's own definition: split at the largest power of two below the width."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_the_rfc(hashes[:split]) + by_the_rfc(hashes[split:])).digest()


def test_every_width_has_the_root_of_the_recursive_definition() -> None:
    assert all(verify.root(leaves(width)) == by_the_rfc(leaves(width)) for width in WIDTHS)


def test_every_leaf_of_every_width_leads_to_the_root_at_its_own_index_alone() -> None:
    for width in WIDTHS:
        hashes = leaves(width)
        levels, root = verify.levels(hashes), verify.root(hashes)
        for index in range(width):
            path = export.path(levels, index)
            assert verify.root_by_path(hashes[index], index, width, path) == root
            for other in {0, width - 1, index - 1, index + 1, index ^ 1, index ^ 2} - {index}:
                assert verify.root_by_path(hashes[index], other, width, path) != root
                assert verify.root_by_path(hashes[other % width], index, width, path) != root or other % width == index


@given(
    st.integers(2, 300).flatmap(lambda width: st.tuples(st.just(width), *[st.integers(0, width - 1)] * 2)), st.data()
)
@settings(deadline=None)
def test_no_other_leaf_index_width_or_path_leads_to_the_root(
    numbers: tuple[int, int, int], data: st.DataObject
) -> None:
    width, index, other = numbers
    hashes = leaves(width)
    root, path = verify.root(hashes), export.path(verify.levels(hashes), index)
    assert verify.root_by_path(hashes[index], index, width, path) == root
    if other != index:
        assert verify.root_by_path(hashes[other], index, width, path) != root
        assert verify.root_by_path(hashes[index], other, width, path) != root
    step = data.draw(st.integers(0, len(path) - 1))
    spoilt = [*path[:step], bytes(32), *path[step + 1 :]]
    for wrong in (spoilt, path[:step] + path[step + 1 :], [*path, path[step]], []):
        assert verify.root_by_path(hashes[index], index, width, wrong) != root


def test_an_inner_node_is_no_leaf_and_a_doubled_last_leaf_is_another_tree() -> None:
    two = leaves(2)
    assert verify.leaf(two[0] + two[1]) != verify.root(two)
    three = leaves(3)
    assert verify.root(three) != verify.root([*three, three[2]])


@pytest.fixture
def chain(tmp_path: Path) -> chains.Chain:
    return chains.Chain(tmp_path / "chain.txt", blocks=4, events=5)


def test_a_whole_chain_holds(chain: chains.Chain) -> None:
    assert chain.check() == []
    assert chain.check(root=chain.blocks[1]["hash"]) == []


CHANGES: dict[str, Callable[[chains.Chain], object]] = {
    "a line changed": lambda chain: chain.lines[1].__setitem__(2, chain.lines[1][2].replace(b"FREEZE", b"DEBIT")),
    "a line removed": lambda chain: chain.lines[1].pop(2),
    "a line twice": lambda chain: chain.lines[1].append(chain.lines[1][2]),
    "two lines swapped": lambda chain: chain.lines[1].reverse(),
    "two blocks' lines swapped": lambda chain: chain.lines.__setitem__(slice(0, 2), chain.lines[1::-1]),
    "a block removed": lambda chain: (chain.lines.pop(1), chain.blocks.pop(1)),
    "the first block removed": lambda chain: (chain.lines.pop(0), chain.blocks.pop(0)),
    "a block twice": lambda chain: (
        chain.lines.insert(1, chain.lines[1]),
        chain.blocks.insert(1, chain.blocks[1]),
    ),
} | {
    f"a block's {part} changed": lambda chain, part=part: chain.blocks[2].__setitem__(
        part, chain.blocks[2][part] + (1 if isinstance(chain.blocks[2][part], int) else "0")
    )
    for part in [*verify.PARTS, "hash"]
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_forged_chain_does_not_hold(chain: chains.Chain, change: Callable[[chains.Chain], object]) -> None:
    change(chain)

    assert chain.check()


def test_a_chain_without_its_end_is_seen_by_the_root_alone(chain: chains.Chain) -> None:
    root = chain.blocks[-1]["hash"]
    chain.blocks.pop()
    chain.lines.pop()

    assert chain.check() == []
    assert chain.check(root=root) == [f"no block has the hash {root}: the chain is another one, or its end was cut off"]


def test_a_chain_made_anew_is_seen_by_the_root_alone(chain: chains.Chain) -> None:
    root = chain.blocks[-1]["hash"]
    chain.lines[1][2] = chain.lines[1][2].replace(b"FREEZE", b"DEBIT")
    chain.chain_again()

    assert chain.check() == []
    assert chain.check(root=root)


def test_running_balances_are_followed_even_in_a_chain_made_anew(chain: chains.Chain) -> None:
    for change in ((b"\t10\t", b"\t11\t"), (b"\t-20\t", b"\t-21\t")):
        forged = chains.Chain(chain.file, blocks=4, events=5)
        forged.lines = [[line.replace(*change) for line in lines] for lines in forged.lines]
        forged.chain_again()

        assert any("its history breaks at number" in problem for problem in forged.check())


def test_an_event_missing_in_a_chain_made_anew_breaks_its_accounts_history(chain: chains.Chain) -> None:
    chain.lines[1].pop(2)
    chain.chain_again()

    assert [problem.partition(": ")[2] for problem in chain.check()] == ["its history breaks at number 9"] * 2


def test_a_block_that_counts_what_it_does_not_hold_is_seen(chain: chains.Chain) -> None:
    chain.blocks[-1]["events"] += 1
    chain.blocks[-1]["events_total"] += 1
    chain.blocks[-1]["hash"] = verify.block_hash(chain.blocks[-1])

    assert chain.check() == ["block 4: sealed 6 events, there are 5"]


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_any_number_of_processes_comes_to_the_same_answer(
    chain: chains.Chain, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "WORTH_A_PROCESS", 0)
    assert chain.check(processes=processes) == []
    chain.lines[3].pop(0)
    chain.chain_again()

    assert len(chain.check(processes=processes)) == 2


BROKEN_FILES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "text": lambda _: b"hello\n",
    "an empty object": lambda _: b"{}",
    "cut in a block": lambda whole: whole[:-3],
    "cut in a header": lambda whole: whole[:300],
    "other columns": lambda whole: whole.replace(b'"xid"', b'"uid"', 1),
    "bytes that lead backwards": lambda whole: whole.replace(b'"bytes": ', b'"bytes": -', 1),
    "bytes after the end": lambda whole: whole + b"x",
}


@pytest.mark.parametrize("change", BROKEN_FILES.values(), ids=BROKEN_FILES.keys())
def test_a_broken_file_does_not_hold(chain: chains.Chain, change: Callable[[bytes], bytes]) -> None:
    chain.write()
    chain.file.write_bytes(change(chain.file.read_bytes()))
    said: list[str] = []

    assert verify.main([str(chain.file)], said.append) == 1
    assert said[0].startswith("DOES NOT HOLD: the file cannot be read")


def proof(chain: chains.Chain) -> dict[str, Any]:
    hashes = [verify.leaf(line) for line in chain.lines[1]]
    event = dict(zip(verify.COLUMNS, chain.lines[1][3].decode().split("\t"), strict=True))
    return {
        "format": verify.EVENT_FORMAT,
        "event": event | {"reference": json.loads(event["reference"])},
        "index": 3,
        "path": [neighbour.hex() for neighbour in export.path(verify.levels(hashes), 3)],
        "blocks": chain.blocks[1:],
    }


def told(file: Path, *arguments: str) -> tuple[int, str]:
    """As somebody runs it who has nothing but this file."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", verify.__file__, str(file), *arguments], check=False, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_program_stands_alone(chain: chains.Chain, tmp_path: Path) -> None:
    chain.write()
    file, root = tmp_path / "event.json", chain.blocks[-1]["hash"]
    file.write_text(json.dumps(proof(chain)))

    assert told(file, "--root", root)[0] == 0
    assert told(file, "--root", root)[1].startswith("IN THE BOOK: event ")
    assert told(file)[0] == 2
    assert told(file, "--root", "ab" * 32)[0] == 1
    assert told(chain.file, "--root", root.upper())[0] == 0
    assert told(chain.file)[1].splitlines()[-1] == "compare that with one you trust: --root"


@pytest.mark.parametrize("column", verify.COLUMNS)
def test_an_event_with_one_column_changed_is_not_in_the_book(chain: chains.Chain, column: str) -> None:
    document = proof(chain)
    trusted = chain.blocks[-1]["hash"]
    assert verify.event_problems(document, trusted) == []
    document["event"][column] += "0"

    assert verify.event_problems(document, trusted) == ["the event does not lead to the root of block 2"]


@pytest.mark.parametrize("extra", [{"more": "x"}, {"xid": 5}, {"reference": None}, {"data": "a\tb"}])
def test_an_event_of_another_shape_is_malformed(chain: chains.Chain, extra: dict[str, Any]) -> None:
    with pytest.raises(verify.Malformed):
        verify.line(proof(chain)["event"] | extra)


def test_a_block_left_out_between_the_event_and_the_trusted_one_is_seen(chain: chains.Chain) -> None:
    document = proof(chain)
    del document["blocks"][1]

    assert verify.event_problems(document, chain.blocks[-1]["hash"])
