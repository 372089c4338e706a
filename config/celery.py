"""The Celery application and beat's table: a doorbell, never the queue (DESIGN §4)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sluice")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["payouts"])

# fmt: off
app.conf.beat_schedule = {
    #                      what                                      every (s)         queue
    "screen":     {"task": "payouts.tasks.screen",     "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "dispatch":   {"task": "payouts.tasks.dispatch",   "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "sign":       {"task": "payouts.tasks.sign",       "schedule": 1.0, "options": {"queue": "signer", "expires": 5}},
    "send":       {"task": "payouts.tasks.send",       "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "watch":      {"task": "payouts.tasks.watch",      "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "settle":     {"task": "payouts.tasks.settle",     "schedule": 1.0, "options": {"queue": "worker", "expires": 5}},
    "webhooks":   {"task": "payouts.tasks.webhooks",   "schedule": 1.0, "options": {"queue": "webhooks", "expires": 5}},
}
# fmt: on
