"""A small exported chain to tamper with, made without the ledger."""

import json
from pathlib import Path
from typing import Any

from ledger import verify

SOURCE, TARGET = "50" * 16, "60" * 16


class Chain:
    """Blocks of movements of 10 from one account to another; what is changed in it is written out by check()."""

    def __init__(self, file: Path, *, blocks: int, events: int) -> None:
        self.file = file
        numbers = range(1, blocks * events + 1)
        made = [self._line(number) for number in numbers]
        self.lines = [made[first : first + events] for first in range(0, len(made), events)]
        self.blocks: list[dict[str, Any]] = []
        self.chain_again()

    @staticmethod
    def _line(number: int) -> bytes:
        amounts = ["10", str(number), str(number), str(-10 * number), str(10 * number)]
        texts = ["b", str(number), "t", "FREEZE", SOURCE, TARGET, *amounts, '"a\\tb ü"', "00", '{"a": 1}', "5"]
        return "\t".join([*texts, str(100 + number)]).encode()

    def chain_again(self) -> None:
        """Seal the lines as they are now, as a forger would."""
        self.blocks, before = [], verify.BEFORE_ALL
        for number, lines in enumerate(self.lines, start=1):
            block: dict[str, Any] = {
                "number": number,
                "previous": before["hash"],
                "xid_from": before["xid_to"],
                "xid_to": 1000 * number,
                "xid_next": 1000 * number,
                "events": len(lines),
                "events_total": before["events_total"] + len(lines),
                "root": verify.root([verify.leaf(line) for line in lines]).hex(),
                "sealed_at": number,
            }
            before = block | {"hash": verify.block_hash(block)}
            self.blocks.append(dict(before))

    def write(self) -> None:
        """Export it."""
        header = {"format": verify.CHAIN_FORMAT, "columns": list(verify.COLUMNS)}
        text = json.dumps(header).encode() + b"\n"
        for block, lines in zip(self.blocks, self.lines, strict=True):
            body = b"".join(line + b"\n" for line in lines)
            text += json.dumps(block | {"bytes": len(body)}).encode() + b"\n" + body
        self.file.write_bytes(text)

    def check(self, root: str | None = None, *, processes: int = 1) -> list[str]:
        """What does not hold."""
        self.write()
        return verify.chain_problems(self.file, root, processes=processes)[0]
