"""`make up` with something before its nodes: `python -m tests.chaos.up EVM_RPC_URLS=URL,URL TRON_RPC_URLS=…`."""

import os
import sys

from config.local import up


def main(arguments: list[str]) -> int:
    """Answers the exit status."""
    return up.up(os.environ, instead=dict(argument.split("=", 1) for argument in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
