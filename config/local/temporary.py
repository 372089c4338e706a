"""The local default for the time of one command: the one that runs already, or one of our own."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from config.local import place, record, setup, stack
from config.local.processes import NotReady
from config.local.record import AlreadyRunning

OTHERS_START_S = 180  # somebody else's first start may be fetching a node


@contextmanager
def environment(environ: Mapping[str, str], *, migrated: bool = True) -> Iterator[dict[str, str]]:
    """The local default's variables, with everything up.

    Raises: SystemExit with the reason when a service does not come up.
    """
    if environ.get("SLUICE_ENV") == "production":
        raise SystemExit("SLUICE_ENV=production starts no local services")
    data_dir = place.data_dir(environ)
    deadline = time.monotonic() + OTHERS_START_S
    while True:
        with record.attached(data_dir) as env:
            if env:
                yield env
                return
        try:
            services = stack.start(data_dir, environ=environ)
        except AlreadyRunning as error:  # it is starting or stopping
            if time.monotonic() > deadline:
                raise SystemExit(f"{error}, but does not come up") from None
            time.sleep(0.1)
            continue
        except NotReady as error:
            raise SystemExit(str(error)) from None
        break
    with _owned(services, environ, migrated=migrated) as env:
        yield env


@contextmanager
def _owned(services: stack.Services, environ: Mapping[str, str], *, migrated: bool) -> Iterator[dict[str, str]]:
    try:
        sys.stderr.write("the local default is up for this command (`make up` keeps it running)\n")
        ours = "DATABASE_URL" in services.env  # a given database is migrated when its owner says so
        setup.prepare(services, environ, migrated=migrated and ours)
        env = services.env | services.signer_env
        services.record.publish(env)
        yield env
    except setup.SetupFailed as error:
        raise SystemExit(str(error)) from None
    finally:
        with services.record.without_users():
            services.stop()
