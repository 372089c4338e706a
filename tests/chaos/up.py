"""`make up` with something before its nodes: `python -m tests.chaos.up EVM_RPC_URLS=URL,URL TRON_RPC_URLS=…`."""

import os
import signal
import sys

from config.local import up
from config.local.processes import die_with_parent


def main(arguments: list[str]) -> int:
    """Serve until whoever started this asks for the end, or ends; answers the exit status."""
    die_with_parent(signal.SIGTERM, parent_pid=os.getppid())
    return up.up(os.environ, instead=dict(argument.split("=", 1) for argument in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
