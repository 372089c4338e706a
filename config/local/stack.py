"""The services together: each given by its URL or started here, their processes owned and recorded."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from config.local import anvil, place, postgres, redis, tron
from config.local.place import Place
from config.local.processes import Child, NotReady, Spec
from config.local.record import TAG, Record


class Service(Protocol):
    """What each service's module offers."""

    @property
    def VARIABLE(self) -> str:  # noqa: N802 - a module has it as a constant
        """Which variable names one that is given."""

    def spec(self, place: Place, /) -> Spec:
        """How to run it here."""

    def env(self, place: Place, /) -> dict[str, str]:
        """How the application finds it."""

    def answers(self, url: str, /) -> bool:
        """Whether it works at a URL."""


SERVICES: dict[str, Service] = {
    "postgres": postgres,
    "redis": redis,
    anvil.ETHEREUM.name: anvil.ETHEREUM,
    **{node.name: node for node in anvil.FURTHER},
    "tron": tron,
}
READY_S, STOP_S = 60, 6


@dataclass(slots=True)
class Services:
    """What runs now; `env` is how the application finds it, `signer_env` what the signer gets on top."""

    env: dict[str, str]
    signer_env: dict[str, str]
    children: list[Child]
    record: Record

    def start(self, spec: Spec) -> Child:
        """Start one more process, which stops with the others."""
        child = Child(replace(spec, env={**spec.env, TAG: self.record.tag}))
        child.start()
        self.children.append(child)
        self.record.started(spec.name, child.pid)
        return child

    def restart(self, child: Child) -> None:
        """Start a dead process again, when nobody is left of the former one."""
        child.sweep()
        child.start()
        self.record.started(child.spec.name, child.pid)

    def stop(self) -> None:
        """Stop everything, layer by layer; a further Ctrl-C does not leave half of it running."""
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for layer in sorted({child.spec.layer for child in self.children}, reverse=True):
                there = [child for child in self.children if child.spec.layer == layer]
                for child in there:
                    child.ask_to_stop()
                for child in there:
                    child.see_stopped(patience_s=STOP_S)
            self.children.clear()
        finally:
            signal.signal(signal.SIGINT, previous)
            self.record.close()


def start(
    data_dir: Path, *, environ: Mapping[str, str], wanted: Sequence[str] = tuple(SERVICES), durable: bool = True
) -> Services:
    """Start those of `wanted` whose URL `environ` does not give, and check those that it does.

    Raises: NotReady when one does not come up or a given one does not answer, AlreadyRunning for a second owner.
    """
    given = [name for name in wanted if environ.get(SERVICES[name].VARIABLE)]
    missing = [name for name in wanted if name not in given and not _stands_alone(name, environ)]
    if missing and environ.get("SLUICE_ENV") == "production":
        variables = ", ".join(SERVICES[name].VARIABLE for name in missing)
        raise NotReady(f"SLUICE_ENV=production starts no local services: set {variables}")
    if "postgres" in missing and environ.get("DATABASE_OWNER_URL"):
        raise NotReady("DATABASE_OWNER_URL is given without DATABASE_URL: give both, or neither")
    for name in given:
        _check_given(SERVICES[name], environ)
    services = Services(env={}, signer_env={}, children=[], record=Record(data_dir))
    try:
        here = place.prepare(data_dir, names=missing, environ=environ, durable=durable)
        _start_missing(services, here, missing)
    except BaseException:
        services.stop()
        raise
    env = services.env | _application_secrets(here)
    services.env = {name: value for name, value in env.items() if not environ.get(name)}
    if "postgres" in missing:
        services.signer_env |= postgres.signer_env(here)
    services.signer_env["KEYSTORE_PASSPHRASE_FILE"] = str(data_dir / "secrets" / "keystore_passphrase")
    return services


def _stands_alone(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a network stays unconfigured because Ethereum's nodes are given and its own are not."""
    return name in {node.name for node in anvil.FURTHER} and bool(environ.get(anvil.ETHEREUM.VARIABLE))


def _start_missing(services: Services, here: Place, names: Sequence[str]) -> None:
    children = [services.start(SERVICES[name].spec(here)) for name in names]
    for child in children:
        child.wait_ready(timeout_s=READY_S)
    if "postgres" in names:
        postgres.provision(here)
    for name in names:
        services.env |= SERVICES[name].env(here)


def _application_secrets(here: Place) -> dict[str, str]:
    return {
        "SECRET_KEY": here.secrets["secret_key"],
        "KEY_PEPPER": here.secrets["key_pepper"],
        "SECRETS_KEY": here.secrets["secrets_key"],
        "APPROVAL_KEY": here.secrets["approval_key"],
        "KEYSTORE_DIR": str(here.data_dir / "keystore"),
    }


def _check_given(service: Service, environ: Mapping[str, str]) -> None:
    """A given URL is used, never replaced silently.

    Raises: NotReady when nothing answers there.
    """
    for url in environ[service.VARIABLE].split(","):
        if not service.answers(url.strip()):
            at = urlsplit(url.strip())
            raise NotReady(
                f"{service.VARIABLE} is given, but what should be at {at.hostname}:{at.port} does not answer"
            )
