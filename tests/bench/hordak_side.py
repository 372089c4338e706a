"""django-hordak's own transfer under the same load; runs in its own environment, prints transfers per second as JSON.

`python hordak_side.py URL CALLERS SECONDS`; makes its tables at the first call.
"""

# ruff: noqa: E402 - Django is told its settings before hordak is imported
# mypy: ignore-errors

import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import dj_database_url
import django
from django.conf import settings

URL, CALLERS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
APPS = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"]
settings.configure(
    DATABASES={"default": dj_database_url.parse(URL, conn_max_age=600)},
    INSTALLED_APPS=APPS,
    SECRET_KEY="bench",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    HORDAK_CURRENCIES=["USD"],
    DEFAULT_CURRENCY="USD",
    HORDAK_INTERNAL_CURRENCY="USD",
)
django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from hordak.models import Account
from moneyed import Money

ACCOUNTS = 500


def prepare() -> list[Account]:
    call_command("migrate", verbosity=0)
    for number in range(Account.objects.count(), ACCOUNTS):
        Account.objects.create(name=f"account {number}", code=str(number), type="AS", currencies=["USD"])
    return list(Account.objects.all())


def load(accounts: list[Account]) -> float:
    start = threading.Barrier(CALLERS)

    def work(_: int) -> int:
        connection.ensure_connection()
        start.wait()
        until, done = time.monotonic() + SECONDS, 0
        while time.monotonic() < until:
            source, target = random.sample(accounts, 2)
            with transaction.atomic():
                source.transfer_to(target, Money(5, "USD"))
            done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(CALLERS) as pool:
        return sum(pool.map(work, range(CALLERS))) / SECONDS


if __name__ == "__main__":
    print(json.dumps({"per_second": load(prepare())}))  # noqa: T201 - its answer
