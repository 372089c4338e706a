"""The services together: each given by its URL or started here, their processes owned and recorded."""

import os
import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from config.local import anvil, credentials, ports, postgres, redis, rpc, tron
from config.local.processes import Child, NotReady, Spec
from config.local.record import TAG, Record

ROOT = Path(__file__).resolve().parent.parent.parent
URL_OF = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "anvil": "EVM_RPC_URLS", "tron": "TRON_RPC_URLS"}


@dataclass(slots=True)
class Services:
    """What runs now; `env` is how the application finds it."""

    env: dict[str, str]
    children: list[Child]
    record: Record
    signer_env: dict[str, str] = field(default_factory=dict)

    def start(self, spec: Spec) -> Child:
        """Start one more process that stops with the others."""
        child = Child(replace(spec, env={**spec.env, TAG: self.record.tag}))
        child.start()
        self.children.append(child)
        self.record.started(spec.name, child.pid)
        return child

    def restart(self, child: Child) -> None:
        """Start a dead process again."""
        child.sweep()
        child.start()
        self.record.started(child.spec.name, child.pid)

    def stop(self) -> None:
        """Stop everything, what was started last first; a second Ctrl-C does not leave half of it running."""
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for child in reversed(self.children):
                child.stop(patience_s=8)
            self.children.clear()
        finally:
            signal.signal(signal.SIGINT, previous)
            self.record.close()


def start(
    data_dir: Path,
    *,
    environ: Mapping[str, str],
    wanted: Collection[str] = tuple(URL_OF),
    durable: bool = True,
    tools: Path | None = None,
) -> Services:
    """Start those of `wanted` whose URL `environ` does not give, and check those that it does.

    Raises: NotReady when one does not come up or a given one does not answer, AlreadyRunning for a second owner.
    """
    if environ.get("SLUICE_ENV") == "production":
        missing = [URL_OF[name] for name in wanted if not environ.get(URL_OF[name])]
        raise NotReady(
            f"SLUICE_ENV=production starts no local service: set {', '.join(missing) or 'up your own processes'}"
        )
    given = {name for name in wanted if environ.get(URL_OF[name])}
    for name in sorted(given):
        _check_given(name, environ)
    _own_folder(data_dir)
    services = Services(env={}, children=[], record=Record(data_dir))
    try:
        _start_missing(services, data_dir, environ, [name for name in URL_OF if name in wanted and name not in given],
                       durable=durable, tools=tools or data_dir / "tools")  # fmt: skip
    except BaseException:
        services.stop()
        raise
    services.env = {name: value for name, value in services.env.items() if not environ.get(name)}
    return services


def _start_missing(
    services: Services, data_dir: Path, environ: Mapping[str, str], names: list[str], *, durable: bool, tools: Path
) -> None:
    port = ports.keep(data_dir / "ports.json", names)
    secret = credentials.keep(data_dir / "secrets")
    services.env |= _application_secrets(data_dir, secret)
    services.signer_env["KEYSTORE_PASSPHRASE_FILE"] = str(data_dir / "secrets" / "keystore_passphrase")
    make: dict[str, Callable[[], Spec]] = {
        "postgres": lambda: postgres.spec(
            data_dir / "postgres", port=port["postgres"], password=secret["postgres_owner"], durable=durable
        ),
        "redis": lambda: redis.spec(data_dir / "redis", port=port["redis"], password=secret["redis"]),
        "anvil": lambda: anvil.spec(
            data_dir / "anvil",
            port=port["anvil"],
            binary=anvil.installed(tools, environ),
            state=data_dir / "anvil" / "state.json" if durable else None,
        ),
        "tron": lambda: tron.spec(data_dir / "tron", port=port["tron"], root=ROOT),
    }
    children = [services.start(make[name]()) for name in names]
    for child in children:
        child.wait_ready(timeout_s=60)
    if "postgres" in names:
        owner, web = secret["postgres_owner"], secret["postgres_web"]
        postgres.provision(
            postgres.owner_url(port=port["postgres"], password=owner, database="postgres"), web_password=web
        )
        services.env["DATABASE_URL"] = postgres.web_url(port=port["postgres"], password=web)
        services.env["DATABASE_OWNER_URL"] = postgres.owner_url(port=port["postgres"], password=owner)
    if "redis" in names:
        services.env["REDIS_URL"] = redis.url(port=port["redis"], password=secret["redis"])
    if "anvil" in names:
        services.env["EVM_RPC_URLS"] = anvil.url(port=port["anvil"])
    if "tron" in names:
        services.env["TRON_RPC_URLS"] = tron.url(port=port["tron"])


def _application_secrets(data_dir: Path, secret: Mapping[str, str]) -> dict[str, str]:
    return {
        "SECRET_KEY": secret["secret_key"],
        "KEY_PEPPER": secret["key_pepper"],
        "SECRETS_KEY": secret["secrets_key"],
        "KEYSTORE_DIR": str(data_dir / "keystore"),
    }


def _own_folder(data_dir: Path) -> None:
    """As root the folder may be passed through (PostgreSQL's user has to), else it is its owner's alone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _check_given(name: str, environ: Mapping[str, str]) -> None:
    """A given URL is used, never replaced silently.

    Raises: NotReady when nothing answers there.
    """
    variable = URL_OF[name]
    for url in environ[variable].split(",") if name in ("anvil", "tron") else [environ[variable]]:
        answers = {
            "postgres": postgres.accepts,
            "redis": redis.pings,
            "anvil": rpc.evm_answers,
            "tron": rpc.tron_answers,
        }[name]
        if not answers(url.strip()):
            place = urlsplit(url.strip())
            raise NotReady(f"{variable} is given, but nothing usable answers at {place.hostname}:{place.port}")
