"""A warm process that forks a worker for every order it reads, and tells how that one died: `python -m …crash.stage`.

It opens no connection itself, so that no child shares one with another.
"""

import gc
import os
import signal
import sys
import traceback
from dataclasses import replace

import django

from chain import failpoints
from tests.chain.crash import orders

TOO_LONG_S = 60
FAILED = 1


def main() -> None:
    """Fork for every line, answer with the exit status, until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(orders.parsed(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _live(order: orders.Order) -> None:
    """One worker's life; it ends here, however it ends."""
    signal.alarm(TOO_LONG_S)
    status = FAILED
    try:
        _play(order)
        status = 0
    except BaseException:  # noqa: BLE001 - told on stderr and by the exit status
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # like a crash: nothing is closed in order


def _play(order: orders.Order) -> None:
    from django.conf import settings
    from django.db import connections

    from tests.chain.crash import desk, naive, paid_in, paths

    connections.settings["default"]["NAME"] = settings.DATABASES["default"]["NAME"] = order.database
    settings.KEYSTORE_DIR, settings.KEYSTORE_PASSPHRASE_FILE = order.keystore, order.passphrase_file
    settings.ROLE = "signer"
    settings.BATCH_CONTRACTS = {order.network: order.batch_contract} if order.batch_contract else {}
    desk.start_clock(order.ahead_s)
    if order.naive:
        naive.plant()
    failpoints.arm({failpoints.DIE_AT: order.failpoint, failpoints.SEEN: order.seen})
    everybody = desk.Desk(order)
    path = (paths.PATHS | paid_in.PATHS)[order.path]
    path.script(everybody)
    if order.finish:
        path.finish(everybody)


def _warm() -> None:
    """Do once what every child would do anew: imports, and Celery's look at its tasks."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from celery import current_app
    from eth_hash.auto import keccak

    from chain import networks
    from tests.chain.crash import desk, naive, paid_in, paths  # noqa: F401 - the children need not import them again

    for name in paths.FAMILIES:
        networks.NETWORKS[name] = replace(networks.NETWORKS[name], confirmations=desk.DEPTH)
    keccak(b"")  # chooses its backend
    current_app.finalize()
    current_app.connection().transport_cls  # noqa: B018 - looking at it imports the broker's library
    current_app.amqp.queues  # noqa: B018 - looking at it makes them
    current_app.events  # noqa: B018 - the same
    for task in current_app.tasks.values():
        task.bind(current_app)
    gc.collect()
    gc.freeze()  # so that a child's collector does not copy every page


if __name__ == "__main__":
    _warm()
    main()
