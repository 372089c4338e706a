"""What services need before they are of use: the schema, and the tokens on the local chains."""

import subprocess
import sys
from collections.abc import Mapping

from chain import assets, networks
from chain.devnet import seed, tokens
from config.local import stack
from config.local.place import ROOT

ISSUER = "0x5100000000000000000000000000000000000051"  # issues the local tokens; nobody has or needs its key


class SetupFailed(Exception):
    """A step of the set-up failed; it has said why on stderr."""


def prepare(services: stack.Services, environ: Mapping[str, str], *, migrated: bool = True) -> None:
    """Migrate the database, meanwhile put the token on an anvil that is ours; both repeat without harm.

    Raises: SetupFailed when one of them does not end well.
    """
    migration = _migrate({**environ, **services.env}) if migrated else None
    for network in networks.NETWORKS.values():
        if network.family == "evm" and (url := services.env.get(network.urls_setting)):
            _install_tokens(network, url)
    if migration and migration.wait():
        raise SetupFailed("the database could not be migrated, see above")


def _migrate(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the migration; what it says goes to stderr, since stdout is the command's."""
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    return subprocess.Popen(
        command, env=owner(env), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr
    )


def _install_tokens(network: networks.Network, url: str) -> None:
    """Put tokens' code at the main net's addresses; the TRON dev node has its tokens from the first block on."""
    for symbol, token in network.tokens.items():
        spec = tokens.Spec(symbol, assets.ASSETS[symbol].title, token.decimals)
        try:
            seed.install_evm_token(url, contract=token.contract, owner=ISSUER, spec=spec)
        except seed.SeedFailed as error:
            raise SetupFailed(f"{symbol} could not be put on {network.name}: {error}") from None


def owner(env: Mapping[str, str]) -> dict[str, str]:
    """The same environment with the tables' owner as the database's user, where that role is known."""
    return {**env, "DATABASE_URL": env.get("DATABASE_OWNER_URL") or env["DATABASE_URL"]}
