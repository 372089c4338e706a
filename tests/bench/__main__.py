"""`python -m tests.bench [SECTION …]`: measure, print a table. `make bench SECTION=ledger` prepares what that needs."""

import sys

from tests.bench import api, chain, ledger

SECTIONS = {"ledger": ledger.run, "chain": chain.run, "api": api.run}


def main(sections: list[str]) -> int:
    """Run the sections named, or all."""
    unknown = set(sections) - set(SECTIONS)
    if unknown:
        print(f"no section {', '.join(sorted(unknown))}; there are: {', '.join(SECTIONS)}")  # noqa: T201 - its answer
        return 2
    for section in sections or SECTIONS:
        SECTIONS[section]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
