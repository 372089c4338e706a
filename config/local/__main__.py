"""`python -m config.local up | demo | run -- COMMAND …`."""

import os
import subprocess
import sys

from config import local
from config.local import temporary, up

USAGE = """\
python -m config.local up                 everything, until Ctrl-C (make up)
python -m config.local demo               the main job end to end (make demo)
python -m config.local run -- COMMAND …   services and their environment for any command"""


def main(arguments: list[str]) -> int:
    """Run one of the three; answers the exit status."""
    match arguments:
        case ["up"]:
            return up.up(os.environ)
        case ["demo"]:
            return up.demo(os.environ)
        case ["run", "--", *command] if command:
            with temporary.environment(os.environ) as env:
                own = local.missing_from(os.environ, env)
                return subprocess.run(command, check=False, env={**os.environ, **own}).returncode
        case _:
            print(USAGE, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
