"""The Celery application and beat's table: a doorbell, never the queue (DESIGN §4)."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sluice")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["payouts"])


@signals.task_prerun.connect
def drop_dead_connections(**_signal: Any) -> None:
    """Let a task that follows a restart of PostgreSQL connect anew.

    Celery keeps a process's connection for CELERY_DB_REUSE_MAX tasks without a look at it; Django looks only around web
    requests. Without this a process whose sweeps open no transaction, the signer's, would use a dead one for minutes.
    """
    from django.db import close_old_connections  # not before the settings are there

    close_old_connections()


# fmt: off
app.conf.beat_schedule = {
    #                      what                                      every (s)         queue
    "screen":     {"task": "payouts.tasks.screen",     "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "lanes":      {"task": "payouts.tasks.lanes",      "schedule": 2.0, "options": {"queue": "worker", "expires": 5}},
    "dispatch":   {"task": "payouts.tasks.dispatch",   "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "sign":       {"task": "payouts.tasks.sign",       "schedule": 1.0, "options": {"queue": "signer", "expires": 5}},
    "sweep":      {"task": "payouts.tasks.sweep",      "schedule": 5.0, "options": {"queue": "worker", "expires": 5}},
    "send":       {"task": "payouts.tasks.send",       "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "watch":      {"task": "payouts.tasks.watch",      "schedule": 0.5, "options": {"queue": "worker", "expires": 5}},
    "settle":     {"task": "payouts.tasks.settle",     "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "follow":     {"task": "payouts.tasks.follow",     "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "deposits":   {"task": "payouts.tasks.deposits",   "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "make_runs":  {"task": "payouts.tasks.make_runs",  "schedule": 2.0, "options": {"queue": "worker", "expires": 5}},
    "webhooks":   {"task": "payouts.tasks.webhooks",   "schedule": 1.0, "options": {"queue": "webhooks", "expires": 5}},
    "transfers":  {"task": "payouts.tasks.transfers",  "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "seal":       {"task": "payouts.tasks.seal",       "schedule": 0.5, "options": {"queue": "worker", "expires": 5}},
    "anchor":     {"task": "payouts.tasks.anchor",     "schedule": 2.0, "options": {"queue": "worker", "expires": 5}},
    "survey":     {"task": "payouts.tasks.survey",     "schedule": 15.0, "options": {"queue": "worker", "expires": 15}},
    "reconcile":  {"task": "payouts.tasks.reconcile",  "schedule": 60.0, "options": {"queue": "worker", "expires": 60}},
    "rates":      {"task": "payouts.tasks.rates",      "schedule": 30.0, "options": {"queue": "worker", "expires": 30}},
    "gas":        {"task": "payouts.tasks.gas",        "schedule": 30.0, "options": {"queue": "worker", "expires": 30}},
    "prove":      {"task": "payouts.tasks.prove",      "schedule": 6 * 3600, "options": {"queue": "worker"}},
    "partition":  {"task": "payouts.tasks.partition",  "schedule": 3600, "options": {"queue": "worker"}},
}
# fmt: on
