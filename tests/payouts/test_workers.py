"""Invariant 7: a worker process outlives its connection to PostgreSQL."""

import psycopg
from celery import signals
from django.db import connection

from payouts import tasks
from tests.databases import Database


def test_a_task_after_a_restart_of_postgresql_connects_anew(committed: Database) -> None:
    tasks.sign()  # opens the connection, and no transaction
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with psycopg.connect(committed.owner_url, autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    signals.task_prerun.send(sender=tasks.sign)
    tasks.sign()
